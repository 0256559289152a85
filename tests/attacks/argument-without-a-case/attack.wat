;; A level of a log that there is not.
(import "agent:memory/conversation@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32 i32)))
(func $attack (result i32)
  (call $log (i32.const 3) (i32.const 320) (i32.const 4) (i32.const 0) (i32.const 272) (i32.const 2))
  (global.get $null))
