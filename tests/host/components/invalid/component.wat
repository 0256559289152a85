;; A function that promises a number and returns none.
(component
  (core module (func (result i32)))
)
