;; It writes to a stream that nobody gave it.
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
  (func $write (param i32 i32 i32 i32)))
(func $attack (result i32)
  (call $write (i32.const 12345) (i32.const 320) (i32.const 4) (i32.const 512))
  (global.get $null))
