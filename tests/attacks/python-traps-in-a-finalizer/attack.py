"""What it leaves behind loops when it is collected, after the function has returned."""

import atexit
import gc


class Left:
    def __del__(self):
        while True:
            pass


def python_traps_in_a_finalizer(conv: Conversation):
    left = Left()
    left.itself = left
    atexit.register(Left)
    gc.collect()
    return "returned"
