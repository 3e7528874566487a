"""test_notify - notifications to the service manager: the datagrams of sd_notify(3), over a real socket.

SPDX-License-Identifier: MIT
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from weir_process import PATIENCE, ROOT, Weir, run_weir

CONFIGURATION = "[server]\nlisten = 127.0.0.1:PORT\ndrain_timeout = 7s\n[route /echo]\nhandler = echo\n"
RELOADS = '#include "server/notify.h"\nint main(void) { notify_reloading(); notify_ready(); }\n'


class Manager:
    """The manager's end of the socket; processes started within the block inherit its name."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(name)
        self.environment = mock.patch.dict(os.environ, {"NOTIFY_SOCKET": name.replace("\0", "@")})

    def received(self):
        return self.socket.recv(4096).decode().split("\n")

    def silent(self):
        self.socket.setblocking(False)
        try:
            return self.socket.recv(4096) is None
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def __enter__(self):
        self.environment.start()
        return self

    def __exit__(self, *error):
        self.environment.stop()
        self.socket.close()


class Notify(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def names(self):
        yield str(self.directory / "notify")
        yield f"\0weir-test-{os.getpid()}"

    def test_service_manager_is_told_ready_and_stopping(self):
        for name in self.names():
            with self.subTest(name=name), Manager(name) as manager, Weir(CONFIGURATION) as weir:
                self.assertEqual(manager.received(), ["READY=1"])
                self.assertTrue(manager.silent())
                weir.process.send_signal(signal.SIGTERM)
                variables = dict(line.split("=") for line in manager.received())
                self.assertEqual(variables.pop("STOPPING"), "1")
                self.assertGreater(int(variables.pop("EXTEND_TIMEOUT_USEC")), 7000000, "beyond drain_timeout")
                self.assertEqual(variables, {})
                weir.process.wait(PATIENCE)
                self.assertTrue(manager.silent())

    def test_failed_start_sends_no_ready(self):
        with Manager(str(self.directory / "notify")) as manager, socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            file = self.directory / "weir.ini"
            file.write_text(CONFIGURATION.replace("PORT", str(taken.getsockname()[1])))
            self.assertEqual(run_weir("serve", "-c", file).returncode, 2)
            self.assertTrue(manager.silent())

    def test_missing_notify_socket_is_ignored(self):
        """A missing manager or an invalid name does not prevent the start."""
        for name in (str(self.directory / "gone"), "@gone", "@", "/", "", "relative", "/" + "x" * 200):
            with self.subTest(name=name), mock.patch.dict(os.environ, {"NOTIFY_SOCKET": name}):
                with Weir(CONFIGURATION):
                    pass

    def test_service_manager_is_told_of_a_reload(self):
        """RELOADING=1 carries the time of the clock that systemd compares with its own."""
        program = self.directory / "reloads"
        command = ["cc", "-std=c17", "-D_GNU_SOURCE", "-I.", "-o", program, "-xc", "-", "server/notify.c"]
        subprocess.run(command, cwd=ROOT, input=RELOADS.encode(), check=True)
        with Manager(str(self.directory / "notify")) as manager:
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            subprocess.run([program], check=True)
            after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            reloading, clock = manager.received()
            self.assertEqual(reloading, "RELOADING=1")
            self.assertEqual(clock.split("=")[0], "MONOTONIC_USEC")
            self.assertLessEqual(before, int(clock.split("=")[1]))
            self.assertLessEqual(int(clock.split("=")[1]), after)
            self.assertEqual(manager.received(), ["READY=1"])


if __name__ == "__main__":
    unittest.main()
