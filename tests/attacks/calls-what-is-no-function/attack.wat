;; It calls through a table where nothing is.
(table $table 8 funcref)
(func $attack (result i32)
  (call_indirect (result i32) (i32.const 5)))
