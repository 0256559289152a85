(component
  (import "agent:memory/memory@0.1.1" (instance))
  (import "agent:memory/state@1.0.0" (instance))
  (import "agent:memory/conversation" (instance))
)
