(component
  (import "agent:memory/memroy@0.1.0" (instance))
)
