"""It looks through all modules for the policy's own functions, below the SDK. Returns those that it finds."""

import sys


def python_looks_for_the_policy(conv: Conversation):
    names = {"begin", "finish", "propose", "settle", "canonicalize", "identify", "amend"}
    found = []
    for module in list(sys.modules):
        if "wit" in module or "component" in module or "agent_memory" in module:
            found += [f"{module}.{name}" for name in names & set(vars(sys.modules[module]))]
            if "policy" in module:
                found.append(module)
    return sorted(found)
