"""It aborts the process in which it runs."""

import os


def python_aborts(conv: Conversation):
    os.abort()
