"""It opens files of the host's by every name that it can think of. Returns those that it could open."""

import os


def python_reads_files(conv: Conversation):
    found = []
    for name in ["/etc/passwd", "/proc/self/environ", "/proc/self/mem", "/dev/random", "../../../../etc/passwd",
                 "/tests/attacks", "/root/.ssh/id_rsa", "/var/run/docker.sock", "/", ".", ""]:
        for use in [lambda: open(name, "rb").read(1), lambda: os.open(name, os.O_RDONLY), lambda: os.stat(name)]:
            try:
                use()
                found.append(name)
            except OSError:
                pass
    return [name for name in found if name not in ["/", "."]]
