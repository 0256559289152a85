(component
  (import "socket" (type (sub resource)))
)
