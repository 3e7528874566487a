"""process - one server process: started with a free port, ready when it answers a handshake, stopped with SIGTERM.

SPDX-License-Identifier: MIT
"""

import os
import signal
import socket
import subprocess
import sys
import time

from handshake import upgraded
from usage import family

START_TIMEOUT = 15
STOP_TIMEOUT = 15
LOOK_INTERVAL = 0.001
SETTLE = 0.1


class StartError(Exception):
    """A server did not come up; the text says how it ended."""


class Process:
    """A running server. It is ready when the constructor returns; `start_seconds` says how long that took, from the
    call of exec to the first 101."""

    def __init__(self, server, folder):
        self.name, self.paths = server.name, server.paths
        self.port, self.admin_port = free_ports(2)
        words = server.command(self.port, self.admin_port, folder)
        began = time.monotonic()
        try:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except OSError as error:
            raise StartError(str(error)) from error
        try:
            self.wait_until_ready(began + START_TIMEOUT)
        except BaseException:
            self.kill()
            raise
        self.start_seconds = time.monotonic() - began
        time.sleep(SETTLE)  # until the connection of the handshake is gone, whose descriptor would be counted

    def wait_until_ready(self, deadline):
        path = self.path(next(iter(self.paths)))
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise StartError(f"it ended with status {self.process.returncode}")
            if upgraded(self.port, path):
                return
            time.sleep(LOOK_INTERVAL)
        raise StartError(f"it does not answer a handshake for {path}")

    @property
    def pids(self):
        return family(self.process.pid)

    def path(self, purpose):
        return self.paths[purpose].replace("{room}", "0")

    def url(self, purpose):
        """Of the paths with rooms, {room} is left in it for `weir bench`."""
        return f"ws://127.0.0.1:{self.port}{self.paths[purpose]}"

    def publish_url(self):
        port = self.admin_port if self.paths["publish"].startswith("/api/") else self.port
        return f"http://127.0.0.1:{port}{self.paths['publish']}"

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not end on SIGTERM", file=sys.stderr)
            self.kill()

    def kill(self):
        """For one that may sleep in a handler, and has nothing to say any more."""
        if self.process.poll() is not None:
            return
        for pid in reversed(self.pids):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
