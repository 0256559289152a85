;; It has the host draw 64 MiB by chance, again and again, and lets go of them each time.
(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
(func $attack (result i32)
  (loop $again
    (global.set $free (i32.const 8192))
    (call $random (i64.const 67108864) (i32.const 512))
    (br $again))
  unreachable)
