;; It wants the host's answer where it has no memory.
(import "agent:memory/conversation@0.1.0" "attributes" (func $attributes (param i32)))
(func $attack (result i32)
  (call $attributes (i32.const 0xfffffff0))
  (global.get $null))
