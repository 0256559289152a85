;; The name is no UTF-8.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "agent:memory/functions@0.1.0#describe") (result i32)
    (i32.const 0))
  (func (export "agent:memory/functions@0.1.0#call") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (data (i32.const 0) (i32 16 1)) ;; a list: where it begins, and its length
  (data (i32.const 16) (i32 256 2 0 0 272 2) (i32 0 0 0))
  (data (i32.const 256) "\ff\fe")
  (data (i32.const 272) "{}")
)
