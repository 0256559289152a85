;; It reads the wall clock a thousand times. Returns how often it showed another time than at first.
(import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))
(func $attack (result i32)
  (local $left i32)
  (local $ticks i32)
  (call $now (i32.const 512))
  (local.set $left (i32.const 1000))
  (loop $again
    (call $now (i32.const 544))
    (local.set $ticks (i32.add (local.get $ticks) (i32.or
      (i64.ne (i64.load (i32.const 512)) (i64.load (i32.const 544)))
      (i32.ne (i32.load (i32.const 520)) (i32.load (i32.const 552))))))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $again (local.get $left)))
  (call $number (local.get $ticks)))
