;; An import that is almost the name of one of the contract.
(component
  (import "agent:memory/memroy@0.1.0" (instance))
)
