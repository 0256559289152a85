;; An effect whose arguments are 100,000 arrays, each in the one before. Returns whether it was refused.
(import "agent:memory/conversation@0.1.0" "act" (func $act (param i32 i32 i32 i32 i32)))
(func $attack (result i32)
  (drop (memory.grow (i32.const 4)))
  (memory.fill (i32.const 16384) (i32.const 91) (i32.const 100000))
  (memory.fill (i32.const 116384) (i32.const 93) (i32.const 100000))
  (call $act (i32.const 320) (i32.const 4) (i32.const 16384) (i32.const 200000) (i32.const 512))
  (call $number (i32.load8_u (i32.const 512))))
