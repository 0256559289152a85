"""It has C compute what takes years, where Python looks at nothing else."""


def python_computes_in_c(conv: Conversation):
    return 3 ** 3 ** 17 % 10
