"""What there is not, and how much there is of the rest."""

from __future__ import annotations

import concurrent.futures
import ctypes
import importlib.resources
import json
import logging
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from agent_memory import Conversation

log = logging.getLogger("probe")


def thread(conv: Conversation):
    threading.Thread(target=print).start()


def thread_pool(conv: Conversation):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return pool.submit(len, "abc").result()


def connect(conv: Conversation):
    socket.create_connection(("example.com", 80))


def own_socket(conv: Conversation):
    socket.socket()


def fetch(conv: Conversation):
    urllib.request.urlopen("http://example.com")


def secure(conv: Conversation):
    ssl.create_default_context()


def native(conv: Conversation):
    ctypes.CDLL("libc.so.6")


def process(conv: Conversation):
    subprocess.run(["ls"])


def process_pool(conv: Conversation):
    with multiprocessing.Pool() as pool:
        return pool.map(len, ["abc"])


def process_start(conv: Conversation):
    multiprocessing.Process(target=print).start()


def process_lock(conv: Conversation):
    multiprocessing.get_context().Lock()


def process_executor(conv: Conversation):
    with ProcessPoolExecutor() as pool:
        return pool.submit(len, "abc").result()


def write_file(conv: Conversation):
    Path(__file__).with_name("data.json").write_text("changed")


def read_other_file(conv: Conversation):
    with open("/etc/passwd") as file:
        return file.read()


def read_files(conv: Conversation):
    """The project's own files can be read in every usual way."""
    beside = Path(__file__).with_name("data.json")
    with open(os.path.join(os.path.dirname(__file__), "data.json")) as file:
        opened = json.load(file)
    return {
        "open": opened,
        "path": json.loads(beside.read_text()),
        "bytes": len(beside.read_bytes()),
        "resources": json.loads(importlib.resources.files("probe").joinpath("data.json").read_text()),
        "exists": [beside.exists(), beside.is_file(), Path(__file__).with_name("none.json").exists()],
        "listed": os.listdir(os.path.dirname(__file__)),
    }


def environment(conv: Conversation):
    return {"variables": sorted(os.environ), "arguments": sys.argv, "path": sys.path}


def import_late(conv: Conversation, name: str):
    return __import__(name).__name__


def speak_elsewhere(conv: Conversation):
    print("printed")
    print("printed as an error", file=sys.stderr)
    log.warning("logged by Python's own logging")


def recurse(conv: Conversation):
    def deeper(depth):
        return deeper(depth + 1)

    deeper(0)


def nest_deeply(conv: Conversation):
    found = []
    for _ in range(100_000):
        found = [found]
    conv.state["deep"] = found


def parse_deeply(conv: Conversation):
    json.loads("[" * 100_000)


def allocate(conv: Conversation, mebibytes: int):
    return len(bytearray(mebibytes << 20))


def endless(conv: Conversation):
    conv.state["lost"] = True
    conv.say("lost")
    while True:
        pass


def long_integer(conv: Conversation, digits: int):
    return 10**digits


def exit_program(conv: Conversation):
    sys.exit("leaving")


class Endless:
    def __eq__(self, other):
        return [Endless()] == [Endless()]


def recurse_through_python_and_c(conv: Conversation):
    return Endless() == Endless()
