;; It writes a metric with a name of a kibibyte, ten million times.
(import "agent:memory/conversation@0.1.0" "write-metric" (func $write_metric (param i32 i32 i32 i32 i32 i32 i32)))
(func $attack (result i32)
  (local $left i32)
  (local.set $left (i32.const 10485760))
  (loop $again
    (call $write_metric (i32.const 1024) (i32.const 1024) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 512))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $again (local.get $left)))
  (global.get $null))
