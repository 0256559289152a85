(component
  (import "acme:billing/invoices@1.0.0" (instance))
)
