;; It says what is no text.
(import "agent:memory/conversation@0.1.0" "say" (func $say (param i32 i32)))
(func $attack (result i32)
  (call $say (i32.const 1024) (i32.const 3))
  (global.get $null))
(data (i32.const 1024) "\f0\28\8c")
