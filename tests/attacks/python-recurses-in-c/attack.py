"""It recurses where Python itself does not count: in its parser of JSON, written in C."""

import json


def python_recurses_in_c(conv: Conversation):
    json.loads("[" * 100_000)
