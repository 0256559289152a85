;; `describe` says a kibibyte without an end, long before there is a conversation.
(module
  (import "agent:memory/conversation@0.1.0" "say" (func $say (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "agent:memory/functions@0.1.0#describe") (result i32)
    (loop $again
      (call $say (i32.const 1024) (i32.const 1024))
      (br $again))
    unreachable)
  (func (export "agent:memory/functions@0.1.0#call") (param i32 i32 i32 i32) (result i32)
    unreachable)
)
