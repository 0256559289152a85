;; `mood` is to remember 1e999999999, which no number of any language holds.
(func $attack (result i32)
  (call $set (i32.const 320) (i32.const 4) (i32.const 0) (i32.const 1024) (i32.const 11) (i32.const 0) (i32.const 0)
    (i32.const 512))
  (call $number (i32.load8_u (i32.const 512))))
(data (i32.const 1024) "1e999999999")
