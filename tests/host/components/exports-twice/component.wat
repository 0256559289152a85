;; Two exports of one name.
(component
  (import "agent:memory/memory@0.1.0" (instance $memory))
  (export "agent:memory/functions@0.1.0" (instance $memory))
  (export "agent:memory/functions@0.1.0" (instance $memory))
)
