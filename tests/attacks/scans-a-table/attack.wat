;; It looks through all of a table that it can have for what an earlier turn left there, and fills it. Returns how many
;; it found.
(table $table 1 funcref)
(elem declare func $attack)
(func $attack (result i32)
  (local $at i32)
  (local $found i32)
  (loop $more (br_if $more (i32.ne (table.grow $table (ref.null func) (i32.const 100)) (i32.const -1))))
  (loop $next
    (if (i32.eqz (ref.is_null (table.get $table (local.get $at))))
      (then (local.set $found (i32.add (local.get $found) (i32.const 1)))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $at) (table.size $table))))
  (table.fill $table (i32.const 0) (ref.func $attack) (table.size $table))
  (call $number (local.get $found)))
