;; It has the host make ten gigabytes of zeroes in one call.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.write-zeroes" (func $write_zeroes (param i32 i64 i32)))
(func $attack (result i32)
  (call $write_zeroes (call $stdout) (i64.const 10737418240) (i32.const 512))
  (global.get $null))
