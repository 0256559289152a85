;; A number of half a million digits.
(func $attack (result i32)
  (drop (memory.grow (i32.const 8)))
  (memory.fill (i32.const 16384) (i32.const 57) (i32.const 500000))
  (i32.store (i32.const 512) (i32.const 0))
  (i32.store (i32.const 516) (i32.const 16384))
  (i32.store (i32.const 520) (i32.const 500000))
  (i32.const 512))
