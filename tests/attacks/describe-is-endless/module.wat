;; Its list has more entries than memory has bytes.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "agent:memory/functions@0.1.0#describe") (result i32)
    (i32.const 0))
  (func (export "agent:memory/functions@0.1.0#call") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (data (i32.const 0) (i32 16 0x7fffffff)) ;; a list: where it begins, and its length
)
