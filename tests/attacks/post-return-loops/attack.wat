;; It loops when the host gives its result back.
(import "agent:memory/conversation@0.1.0" "say" (func $say (param i32 i32)))
(global $armed (mut i32) (i32.const 0))
(func (export "cabi_post_agent:memory/functions@0.1.0#call") (param i32)
  (if (global.get $armed) (then (loop $again (br $again)))))
(func $attack (result i32)
  (global.set $armed (i32.const 1))
  (global.get $null))
