"""It takes memory, and goes on when there is none: an error that it can catch, and that ends nothing."""


def python_takes_all_memory(conv: Conversation):
    kept = []
    size = 16 << 20
    while size > 1 << 10:
        try:
            kept.append(bytearray(size))
        except MemoryError:
            size //= 2
    kept.clear()
    return "still there"
