;; It grows a table until it gets no more, and returns how far it came.
(table $table 1 funcref)
(func $attack (result i32)
  (loop $more
    (br_if $more (i32.ne (table.grow $table (ref.null func) (i32.const 100)) (i32.const -1))))
  (call $number (table.size $table)))
