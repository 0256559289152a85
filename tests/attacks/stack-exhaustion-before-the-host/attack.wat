;; At every hundredth depth it asks the host for all attributes, so that the stack may end while the host is on it.
(import "agent:memory/conversation@0.1.0" "attributes" (func $attributes (param i32)))
(func $deeper (param $until_next i32) (result i32)
  (if (i32.eqz (local.get $until_next))
    (then
      (global.set $free (i32.const 8192))
      (call $attributes (i32.const 512))
      (local.set $until_next (i32.const 100))))
  (i32.add (call $deeper (i32.sub (local.get $until_next) (i32.const 1))) (i32.const 1)))
(func $attack (result i32)
  (call $deeper (i32.const 0)))
