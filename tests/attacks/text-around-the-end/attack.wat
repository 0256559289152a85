;; A text that begins at the end of all addresses and ends at their beginning, for the policy.
(func $attack (result i32)
  (call $set (i32.const 0xfffffff0) (i32.const 32) (i32.const 0) (i32.const 336) (i32.const 6) (i32.const 0)
    (i32.const 0) (i32.const 512))
  (global.get $null))
