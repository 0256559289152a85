;; A function by an interface's name.
(component
  (import "agent:memory/memory@0.1.0" (func))
  (import "agent:memory/state@0.1.0" (instance $state))
  (export "agent:memory/functions@0.1.0" (instance $state))
)
