;; What stands around the attack of an `attack.wat`, whose text comes in place of ATTACK: imports first, then `$attack`,
;; which returns where the result of `call` is.
;;
;; Below 512 the memory is the frame's, from 512 to 8,191 it is the attack's, and from there on `$realloc` gives it away.
(module
  (import "agent:memory/state@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32 i32 i32 i32)))
  ATTACK
  (memory $memory (export "memory") PAGES)
  (global $free (mut i32) (i32.const 8192))
  ;; Where `null` is, as the result of `call`.
  (global $null i32 (i32.const 96))

  (func $realloc (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (loop $more
      (if (i32.gt_u (global.get $free) (i32.mul (memory.size) (i32.const 65536)))
        (then
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
          (br $more))))
    (local.get $at))

  ;; A number as the result of `call`.
  (func $number (param $number i32) (result i32)
    (local $at i32)
    (local.set $at (i32.const 448))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $digit (local.get $number)))
    (i32.store (i32.const 128) (i32.const 0))
    (i32.store (i32.const 132) (local.get $at))
    (i32.store (i32.const 136) (i32.sub (i32.const 448) (local.get $at)))
    (i32.const 128))

  ;; What a function does that means no harm: it sets `mood` to "good" and returns true.
  (func $ordinary (result i32)
    (call $set (i32.const 320) (i32.const 4) (i32.const 0) (i32.const 336) (i32.const 6) (i32.const 0) (i32.const 0)
      (i32.const 352))
    (if (i32.load8_u (i32.const 352)) (then unreachable))
    (i32.const 112))

  (func (export "agent:memory/functions@0.1.0#describe") (result i32)
    (i32.const 0))
  (func (export "agent:memory/functions@0.1.0#call") (param $name i32) (param $length i32) (param i32 i32) (result i32)
    (if (result i32) (i32.eq (local.get $length) (i32.const 8))
      (then (call $ordinary))
      (else (call $attack))))

  (data (i32.const 0) (i32 16 2))
  (data (i32.const 16) (i32 256 6 0 0 272 2) (i32 0 0 0) (i32 288 8 0 0 272 2) (i32 0 0 0))
  (data (i32.const 96) (i32 0 280 4))
  (data (i32.const 112) (i32 0 304 4))
  (data (i32.const 256) "attack")
  (data (i32.const 272) "{}")
  (data (i32.const 280) "null")
  (data (i32.const 288) "ordinary")
  (data (i32.const 304) "true")
  (data (i32.const 320) "mood")
  (data (i32.const 336) "\"good\"")
)
