;; It takes one stream after the other and gives none back.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(func $attack (result i32)
  (loop $again
    (drop (call $stdout))
    (br $again))
  unreachable)
