;; Its result is at an odd address.
(func $attack (result i32)
  (i32.const 513))
