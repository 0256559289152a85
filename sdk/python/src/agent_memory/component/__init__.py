"""What makes a component of a project's functions. It runs inside the sandbox, most of it when an agent is built.

A component is a frozen Python: the interpreter imports the project once, when the agent is built, and every turn
starts from a copy of its memory as it was then.
"""
