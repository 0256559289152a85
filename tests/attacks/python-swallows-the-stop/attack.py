"""It swallows every exception, and would swallow the one that ends it."""


def python_swallows_the_stop(conv: Conversation):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
