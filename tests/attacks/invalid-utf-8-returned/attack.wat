;; It returns what is no text.
(func $attack (result i32)
  (i32.const 512))
(data (i32.const 512) (i32 0 1024 3))
(data (i32.const 1024) "\f0\28\8c")
