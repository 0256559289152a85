;; Its result is beyond its memory.
(func $attack (result i32)
  (i32.const 0x7ffffff0))
