(component
  (import "fetch" (func (param "url" string) (result string)))
)
