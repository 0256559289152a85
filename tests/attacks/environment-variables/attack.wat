;; It reads all that a program is started with. Returns how many variables, arguments and folders there are.
(import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
(import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
(import "wasi:cli/environment@0.2.0" "initial-cwd" (func $folder (param i32)))
(func $attack (result i32)
  (call $environment (i32.const 512))
  (call $arguments (i32.const 528))
  (call $folder (i32.const 544))
  (call $number (i32.add (i32.load (i32.const 516)) (i32.add (i32.load (i32.const 532)) (i32.load8_u (i32.const 544))))))
