;; It has the host draw ten gigabytes by chance in one call.
(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
(func $attack (result i32)
  (call $random (i64.const 10737418240) (i32.const 512))
  (global.get $null))
