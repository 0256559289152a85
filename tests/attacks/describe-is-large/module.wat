;; The description has more bytes than a turn may hand over.
(module
  (memory (export "memory") 64)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "agent:memory/functions@0.1.0#describe") (result i32)
    (i32.const 0))
  (func (export "agent:memory/functions@0.1.0#call") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (data (i32.const 0) (i32 16 1)) ;; a list: where it begins, and its length
  (data (i32.const 16) (i32 256 10 0 2097152 272 2) (i32 0 0 0))
  (data (i32.const 256) "book_table")
  (data (i32.const 272) "{}")
)
