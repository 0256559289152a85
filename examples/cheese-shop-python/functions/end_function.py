from _gen import *


def end_function(conv: Conversation):
    """Counts the callers who left without a cheese."""
    if not conv.state.cheese_type:
        conv.write_metric("left_without_cheese")
