;; `describe` asks the platform for what is never answered. There is nobody yet who could answer: it is told so, and traps.
(module
  (import "agent:memory/conversation@0.1.0" "request" (func $request (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 4096))
  (func (export "agent:memory/functions@0.1.0#describe") (result i32)
    (call $request (i32.const 1024) (i32.const 5) (i32.const 272) (i32.const 2) (i32.const 512))
    ;; 1 is `unanswered`, which is the expected error: anything else is an endless loop.
    (if (i32.ne (i32.load8_u (i32.const 516)) (i32.const 1)) (then (loop $again (br $again))))
    unreachable)
  (func (export "agent:memory/functions@0.1.0#call") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (data (i32.const 272) "{}")
  (data (i32.const 1024) "never")
)
