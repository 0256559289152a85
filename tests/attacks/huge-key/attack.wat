;; A key of ten megabytes. Returns which case of `set-error` that is: the third, 3, is a key that is too long.
(func $attack (result i32)
  (drop (memory.grow (i32.const 160)))
  (memory.fill (i32.const 65536) (i32.const 120) (i32.const 10485760))
  (call $set (i32.const 65536) (i32.const 10485760) (i32.const 0) (i32.const 280) (i32.const 4) (i32.const 0)
    (i32.const 0) (i32.const 512))
  (call $number (i32.mul (i32.load8_u (i32.const 512)) (i32.load8_u (i32.const 520)))))
