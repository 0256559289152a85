;; It takes megabyte after megabyte, writes to all of it, and insists.
(func $attack (result i32)
  (local $pages i32)
  (loop $more
    (local.set $pages (memory.grow (i32.const 16)))
    (if (i32.eq (local.get $pages) (i32.const -1)) (then unreachable))
    (memory.fill (i32.mul (local.get $pages) (i32.const 65536)) (i32.const 0x5a) (i32.const 1048576))
    (br $more))
  unreachable)
