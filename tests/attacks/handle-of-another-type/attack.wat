;; It waits for a stream as if that were a clock.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
(func $attack (result i32)
  (call $block (call $stdout))
  (global.get $null))
