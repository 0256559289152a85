# Stubs for an editor. If an agent were ever built with them, nothing would work.
raise RuntimeError("the project's own _gen was imported")
