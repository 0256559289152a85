;; It sets a kibibyte under one new key after the other, ten million times, whatever it is told. Returns how many were
;; refused, if it comes that far.
(func $attack (result i32)
  (local $i i32)
  (local $refused i32)
  (i32.store8 (i32.const 1024) (i32.const 34))
  (memory.fill (i32.const 1025) (i32.const 120) (i32.const 1022))
  (i32.store8 (i32.const 2047) (i32.const 34))
  (loop $again
    ;; Four letters from the counter.
    (i32.store (i32.const 600) (i32.or (i32.const 0x40404040) (i32.or
      (i32.and (local.get $i) (i32.const 0x1f))
      (i32.or (i32.shl (i32.and (local.get $i) (i32.const 0x3e0)) (i32.const 3))
        (i32.or (i32.shl (i32.and (local.get $i) (i32.const 0x7c00)) (i32.const 6))
          (i32.shl (i32.and (local.get $i) (i32.const 0xf8000)) (i32.const 9)))))))
    (call $set (i32.const 600) (i32.const 4) (i32.const 0) (i32.const 1024) (i32.const 1024) (i32.const 0) (i32.const 0)
      (i32.const 512))
    (local.set $refused (i32.add (local.get $refused) (i32.load8_u (i32.const 512))))
    (global.set $free (i32.const 8192))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $i) (i32.const 10485760))))
  (call $number (local.get $refused)))
