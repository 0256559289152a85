"""An agent for tests: one function for each thing that Python might do otherwise in a sandbox."""
