;; A value of ten megabytes. Returns which case of `set-error` that is: 5 is a state that is too large.
(func $attack (result i32)
  (drop (memory.grow (i32.const 161)))
  (memory.fill (i32.const 65536) (i32.const 120) (i32.const 10485760))
  (i32.store8 (i32.const 65536) (i32.const 34))
  (i32.store8 (i32.const 10551295) (i32.const 34))
  (call $set (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 65536) (i32.const 10485760) (i32.const 0)
    (i32.const 0) (i32.const 512))
  (call $number (i32.mul (i32.load8_u (i32.const 512)) (i32.load8_u (i32.const 520)))))
