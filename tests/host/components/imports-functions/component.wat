(component
  (import "agent:memory/functions@0.1.0" (instance))
)
