;; It never gets as far as `describe`.
(module
  (memory (export "memory") 1)
  (start $start)
  (func $start unreachable)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "agent:memory/functions@0.1.0#describe") (result i32)
    (i32.const 0))
  (func (export "agent:memory/functions@0.1.0#call") (param i32 i32 i32 i32) (result i32)
    unreachable)
)
