;; Line ends and nothing else: each of the first is an entry of the log.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
  (func $write (param i32 i32 i32 i32)))
(func $attack (result i32)
  (local $out i32)
  (local $left i32)
  (memory.fill (i32.const 1024) (i32.const 10) (i32.const 4096))
  (local.set $out (call $stdout))
  (local.set $left (i32.const 100))
  (loop $again
    (call $write (local.get $out) (i32.const 1024) (i32.const 4096) (i32.const 512))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $again (local.get $left)))
  (global.get $null))
