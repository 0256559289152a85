"""It ends the process in which it runs."""

import os


def python_leaves_without_a_word(conv: Conversation):
    os._exit(0)
