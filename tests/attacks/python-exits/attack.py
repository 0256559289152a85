"""It leaves as a program does, which is an error like any other."""

import sys


def python_exits(conv: Conversation):
    sys.exit("leaving")
