"""far_network - a network namespace with a cable to this machine that can be cut: then its clients vanish without
FIN or reset, as those behind a firewall that forgot them, or those who have lost their radio link.

    with FarNetwork() as far:
        clients = far.connect(port, "/echo", 200)
        far.cut()

Needs root and iproute2; Unavailable says what is missing.

SPDX-License-Identifier: MIT
"""

import concurrent.futures
import ctypes
import os
import shutil
import socket
import subprocess

from raw_client import RawClient, request
from weir_process import PATIENCE

CLONE_NEWNET = 0x40000000
HERE, THERE = "198.18.77.1", "198.18.77.2"  # of the addresses for tests of networks (RFC 2544)


class Unavailable(Exception):
    pass


class FarClient(RawClient):
    def __init__(self, port, upgrade):
        self.socket = socket.create_connection((HERE, port), timeout=PATIENCE)
        self.buffer = b""
        self.send(request(upgrade))
        response = self.response()
        if response.status != 101:
            raise AssertionError(f"upgrade of {upgrade}: {response}")


class FarNetwork:
    def __init__(self):
        self.name = f"weir-test-{os.getpid()}"
        self.near, self.far = f"weir{os.getpid()}n", f"weir{os.getpid()}f"  # 15 characters at most

    def ip(self, *arguments):
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

    def __enter__(self):
        if os.geteuid() != 0 or shutil.which("ip") is None:
            raise Unavailable("a network namespace needs root and iproute2")
        self.ip("netns", "add", self.name)
        try:
            self.ip("link", "add", self.near, "type", "veth", "peer", "name", self.far, "netns", self.name)
            self.ip("address", "add", f"{HERE}/30", "dev", self.near)
            self.ip("link", "set", self.near, "up")
            self.ip("-n", self.name, "address", "add", f"{THERE}/30", "dev", self.far)
            self.ip("-n", self.name, "link", "set", self.far, "up")
        except Unavailable:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)
        subprocess.run(["ip", "link", "delete", self.near], capture_output=True)

    def connect(self, port, path, count):
        """A socket belongs for ever to the namespace of the thread that made it."""

        def clients():
            with open(f"/run/netns/{self.name}") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise Unavailable(os.strerror(ctypes.get_errno()))
            return [FarClient(port, path) for _ in range(count)]

        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(clients).result()

    def cut(self):
        self.ip("-n", self.name, "link", "set", self.far, "down")
