;; It wants the policy's answer at an odd address.
(func $attack (result i32)
  (call $set (i32.const 320) (i32.const 4) (i32.const 0) (i32.const 336) (i32.const 6) (i32.const 0) (i32.const 0)
    (i32.const 513))
  (global.get $null))
