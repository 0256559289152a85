;; It makes a socket for datagrams. Returns the error, 1 being access denied, and 100 if there is none.
(import "wasi:sockets/udp-create-socket@0.2.0" "create-udp-socket" (func $socket (param i32 i32)))
(func $attack (result i32)
  (call $socket (i32.const 0) (i32.const 512))
  (if (result i32) (i32.load8_u (i32.const 512))
    (then (call $number (i32.load8_u (i32.const 516))))
    (else (call $number (i32.const 100)))))
