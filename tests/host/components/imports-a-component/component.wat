;; Code from elsewhere.
(component
  (import "url=<https://example.com/plugin.wasm>" (component))
  (import "plugin" (component))
)
