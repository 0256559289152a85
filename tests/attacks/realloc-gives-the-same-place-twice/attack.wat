;; All texts of the host's answer are put to the same place, over one another: it harms nobody but itself.
(import "agent:memory/conversation@0.1.0" "attributes" (func $attributes (param i32)))
(func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
  (i32.const 8192))
(func $attack (result i32)
  (call $attributes (i32.const 512))
  (global.get $null))
