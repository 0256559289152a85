(component
  (import "agent:memory/policy@0.1.0" (instance))
)
