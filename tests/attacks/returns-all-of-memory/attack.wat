;; Its value is said to have all bytes that an address can name.
(func $attack (result i32)
  (i32.const 512))
(data (i32.const 512) (i32 0 0 -1))
