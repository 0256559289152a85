;; A loop without an end.
(func $attack (result i32)
  (loop $again (br $again))
  unreachable)
