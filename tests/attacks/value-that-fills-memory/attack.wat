;; A value of 60 MiB, which the policy would have to copy: both together are more than a turn may have.
(func $attack (result i32)
  (drop (memory.grow (i32.const 961)))
  (memory.fill (i32.const 65536) (i32.const 120) (i32.const 62914560))
  (call $set (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 65536) (i32.const 62914560) (i32.const 0)
    (i32.const 0) (i32.const 512))
  (global.get $null))
