;; It says what is beyond its memory.
(import "agent:memory/conversation@0.1.0" "say" (func $say (param i32 i32)))
(func $attack (result i32)
  (call $say (i32.const 65000) (i32.const 1000))
  (global.get $null))
