;; Its result is neither a value nor an error.
(func $attack (result i32)
  (i32.const 512))
(data (i32.const 512) (i32 7 280 4))
