(component
  (import "wasi:cli/stdout@0.3.0" (instance))
  (import "wasi:clocks/wall-clock@0.2.0-rc-2023-11-10" (instance))
  (import "wasi:io/poll" (instance))
)
