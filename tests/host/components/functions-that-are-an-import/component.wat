;; What the host gives to one interface, handed back as another.
(component
  (import "agent:memory/memory@0.1.0" (instance $memory (export "len" (func (result u32)))))
  (export "agent:memory/functions@0.1.0" (instance $memory))
)
