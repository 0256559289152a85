;; It wants a store of its own.
(component
  (import "wasi:keyvalue/store@0.2.0-draft" (instance))
)
