"""A pattern that tries all of two to the fiftieth ways."""

import re


def python_backtracks(conv: Conversation):
    return re.match(r"(a|a)*b", "a" * 50)
