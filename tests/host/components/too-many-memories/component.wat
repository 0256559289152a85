;; Four memories, beside the policy's.
(component
  (core module $one (memory 1))
  (core instance (instantiate $one))
  (core instance (instantiate $one))
  (core instance (instantiate $one))
  (core instance (instantiate $one))
  (import "agent:memory/memory@0.1.0" (instance $memory))
  (export "agent:memory/functions@0.1.0" (instance $memory))
)
