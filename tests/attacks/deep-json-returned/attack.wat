;; A value of 100,000 arrays, each in the one before.
(func $attack (result i32)
  (drop (memory.grow (i32.const 4)))
  (memory.fill (i32.const 16384) (i32.const 91) (i32.const 100000))
  (memory.fill (i32.const 116384) (i32.const 93) (i32.const 100000))
  (i32.store (i32.const 512) (i32.const 0))
  (i32.store (i32.const 516) (i32.const 16384))
  (i32.store (i32.const 520) (i32.const 200000))
  (i32.const 512))
