;; It looks through 32 MiB of memory, nearly all of it pages that it grew by, for what an earlier turn left there: anything
;; that is not zero. Then it fills all of it. Returns how many words it found.
(func $attack (result i32)
  (local $at i32)
  (local $end i32)
  (local $found i32)
  (drop (memory.grow (i32.const 511)))
  (local.set $at (i32.const 16384))
  (local.set $end (i32.mul (memory.size) (i32.const 65536)))
  (loop $next
    (if (i64.ne (i64.load (local.get $at)) (i64.const 0))
      (then (local.set $found (i32.add (local.get $found) (i32.const 1)))))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
  (memory.fill (i32.const 16384) (i32.const 0x5a) (i32.sub (local.get $end) (i32.const 16384)))
  (call $number (i32.add (local.get $found) (i32.ne (memory.size) (i32.const 512)))))
