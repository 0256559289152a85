;; It sets `mood` to what is no text: the policy, and not the host, is given it.
(func $attack (result i32)
  (call $set (i32.const 320) (i32.const 4) (i32.const 0) (i32.const 1024) (i32.const 5) (i32.const 0) (i32.const 0)
    (i32.const 512))
  (global.get $null))
(data (i32.const 1024) "\"\f0\28\8c\"")
