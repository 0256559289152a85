;; It wants `begin` and `finish`, and with them any memory and any state that it likes.
(component
  (import "agent:memory/policy@0.1.0" (instance))
)
