;; It says nothing, again and again: an entry has a cost even if no text is in it.
(import "agent:memory/conversation@0.1.0" "say" (func $say (param i32 i32)))
(func $attack (result i32)
  (loop $again
    (call $say (i32.const 0) (i32.const 0))
    (br $again))
  unreachable)
