;; It sets a key, asks for an effect, and traps.
(import "agent:memory/conversation@0.1.0" "act" (func $act (param i32 i32 i32 i32 i32)))
(func $attack (result i32)
  (call $act (i32.const 320) (i32.const 4) (i32.const 272) (i32.const 2) (i32.const 512))
  (call $set (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 336) (i32.const 6) (i32.const 0) (i32.const 0)
    (i32.const 512))
  unreachable)
(data (i32.const 1024) "lost")
