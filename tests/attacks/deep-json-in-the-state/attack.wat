;; A value of 100,000 arrays, each in the one before. Returns which case of `set-error` that is: 0 is no JSON of at most 128
;; levels, and the number is given plus one.
(func $attack (result i32)
  (drop (memory.grow (i32.const 4)))
  (memory.fill (i32.const 16384) (i32.const 91) (i32.const 100000))
  (memory.fill (i32.const 116384) (i32.const 93) (i32.const 100000))
  (call $set (i32.const 320) (i32.const 4) (i32.const 0) (i32.const 16384) (i32.const 200000) (i32.const 0)
    (i32.const 0) (i32.const 512))
  (call $number (i32.mul (i32.load8_u (i32.const 512)) (i32.add (i32.load8_u (i32.const 520)) (i32.const 1)))))
