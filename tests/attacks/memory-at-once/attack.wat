;; It asks for all four gigabytes at once, and returns whether it got them.
(func $attack (result i32)
  (call $number (i32.ne (memory.grow (i32.const 65534)) (i32.const -1))))
