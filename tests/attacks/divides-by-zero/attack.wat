;; What no program may.
(func $attack (result i32)
  (call $number (i32.div_u (i32.const 1) (i32.load (i32.const 1024)))))
