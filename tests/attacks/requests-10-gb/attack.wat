;; It asks the platform for what nobody answers, with a kibibyte each time, ten million times.
(import "agent:memory/conversation@0.1.0" "request" (func $request (param i32 i32 i32 i32 i32)))
(func $attack (result i32)
  (local $left i32)
  (local.set $left (i32.const 10485760))
  (loop $again
    (call $request (i32.const 1024) (i32.const 1024) (i32.const 272) (i32.const 2) (i32.const 512))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $again (local.get $left)))
  (global.get $null))
