;; It says a kibibyte, ten million times.
(import "agent:memory/conversation@0.1.0" "say" (func $say (param i32 i32)))
(func $attack (result i32)
  (local $left i32)
  (local.set $left (i32.const 10485760))
  (loop $again
    (call $say (i32.const 1024) (i32.const 1024))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $again (local.get $left)))
  (global.get $null))
