;; A handoff to nobody, with a destination that no platform has.
(import "agent:memory/conversation@0.1.0" "handoff"
  (func $handoff (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(func $attack (result i32)
  (call $handoff (i32.const 1024) (i32.const 16)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 512))
  (call $number (i32.load8_u (i32.const 512))))
(data (i32.const 1024) "../../etc/passwd")
