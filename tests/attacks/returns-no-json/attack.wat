;; What it returns breaks off.
(func $attack (result i32)
  (i32.const 512))
(data (i32.const 512) (i32 0 1024 12))
(data (i32.const 1024) "{\"cheese\": [")
