"""weir_process - starts the real server for a test, looks at it from outside, and stops it.

    with Weir("[server]\nlisten = 127.0.0.1:PORT\n[route /echo]\nhandler = echo\n") as weir:
        ... connect to weir.url("/echo") ...

PORT is replaced by a free port, EXAMPLES by the folder of the example plug-ins. Leaving the block sends SIGTERM and
fails unless the server ends with status 0 and without a report of a sanitizer. The server dies with the test that
started it, even if that is killed.

From the environment: WEIR, the binary (build/weir); WEIR_EXAMPLES (build/examples); WEIR_SCALE, by which large
counts are multiplied (1), so that the same tests suit a slow build.

SPDX-License-Identifier: MIT
"""

import asyncio
import contextlib
import math
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEIR = ROOT / os.environ.get("WEIR", "build/weir")
EXAMPLES = ROOT / os.environ.get("WEIR_EXAMPLES", "build/examples")
SCALE = float(os.environ.get("WEIR_SCALE", "1"))

# Every process that a test starts writes what a sanitizer has to say here, whether the test looks at its output or not.
REPORTS = tempfile.TemporaryDirectory(prefix="weir-reports-")
for name in ["ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"]:
    os.environ[name] = f"{os.environ.get(name, '')} log_path={REPORTS.name}/report"
reports_seen = {}

PATIENCE = 30  # seconds: how long anything that must happen may take before a test fails
SANITIZER_REPORT = re.compile(
    "ERROR: AddressSanitizer|WARNING: ThreadSanitizer|LeakSanitizer: detected|ERROR: LeakSanitizer|runtime error:"
)


def sanitizer_report():
    """What sanitizers have reported since the last call, in any process; None if nothing."""
    new = ""
    for file in sorted(Path(REPORTS.name).iterdir()):
        text = file.read_text(errors="replace")
        new += text[reports_seen.get(file, 0) :]
        reports_seen[file] = len(text)
    return new[:8000] if SANITIZER_REPORT.search(new) else None


def scaled(count, least=1):
    """A count, as large as this run can bear."""
    return max(least, math.ceil(count * SCALE))


def until(condition, what, seconds=PATIENCE):
    """Waits for condition() to be true and returns what it returned."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.01)
    return result


def free_port():
    """A port that nobody has now, below those that the kernel gives to clients."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def run_weir(*arguments, **environment):
    """Runs a command that ends by itself, with these variables beside our own. Returns its status, stdout and stderr.
    """
    done = subprocess.run(
        [WEIR, *map(str, arguments)], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=PATIENCE,
    )
    report = sanitizer_report()
    if report:
        raise AssertionError(f"weir {arguments}: {report}")
    return done


class Weir:
    """A running `weir serve`."""

    manager = None  # unless _start makes one

    def __init__(self, configuration, tsan_options=""):
        self.environment = {**os.environ, "TSAN_OPTIONS": f"{os.environ.get('TSAN_OPTIONS', '')} {tsan_options}"}
        self.directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.log_file = Path(self.directory.name) / "log"
        for _ in range(5):
            self.port = free_port()
            self._start(configuration)
            if self._ready():
                return
            if not re.search("in use", self.log(), re.IGNORECASE):  # else somebody was faster: try another one
                break
        raise AssertionError(f"the server did not start (status {self.process.poll()})\n{self.log()}")

    def _start(self, configuration):
        self.manager = self._manage()
        file = Path(self.directory.name) / "weir.ini"
        file.write_text(configuration.replace("PORT", str(self.port)).replace("EXAMPLES", str(EXAMPLES)))
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command(file)],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        self.pid = self.process.pid

    def command(self, file):
        return [WEIR, "serve", "-c", file]

    def _manage(self):
        """The socket at which the server says that it is ready; none in a test that is the manager itself."""
        name = f"{self.directory.name}/notify"
        if os.environ.get("NOTIFY_SOCKET", name) != name:
            return None
        self.environment["NOTIFY_SOCKET"] = name
        Path(name).unlink(missing_ok=True)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(name)
        manager.settimeout(0.1)
        return manager

    def _ready(self):
        """True once the server says that it is ready, all of its threads started; false if it ended before."""
        with self.manager or contextlib.nullcontext():  # nobody reads what it says later
            return self._becomes_ready()

    def _becomes_ready(self):
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if self._says_ready():
                return self.process.poll() is None
            if time.monotonic() > deadline:
                self._kill()
                raise AssertionError(f"the server does not become ready\n{self.log()}")
        return False

    def _says_ready(self):
        """Waits a moment. A test that is the manager itself takes an accepted connection for it."""
        try:
            if self.manager:
                return b"READY=1" in self.manager.recv(4096)
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.01)
            return False

    def _kill(self):
        self.process.kill()
        self.process.wait()

    def url(self, path):
        return f"ws://127.0.0.1:{self.port}{path}"

    def log(self):
        """What has been logged, in whole lines: a reader may see half of what is being written."""
        text = self.log_file.read_text(errors="replace")
        return text[: text.rfind("\n") + 1]

    def log_line(self, *parts):
        """Waits for a log line that has all these parts."""

        def find():
            return next((line for line in self.log().splitlines() if all(part in line for part in parts)), None)

        return until(find, f"a log line with {parts}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self, number=signal.SIGTERM, status=0, within=PATIENCE):
        """Asks the server to stop; it must end with this status (None: any). Nothing happens the second time."""
        if self.directory is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self._kill()
            raise AssertionError(f"the server did not stop within {within} s\n{self.log_end()}") from None
        finally:
            log_end = self.log_end()
            self.directory.cleanup()
            self.directory = None
        report = sanitizer_report()
        if report:
            raise AssertionError(report)
        if status is not None and self.process.returncode != status:
            raise AssertionError(f"the server ended with status {self.process.returncode}, not {status}\n{log_end}")

    def log_end(self):
        return "\n".join(self.log().splitlines()[-20:])

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self.stop()
        elif self.directory is not None:
            print(f"--- the end of the log\n{self.log_end()}\n---")
            self.stop(status=None)


class WeirTestCase(unittest.TestCase):
    """Tests that share one server, `self.weir`, which runs `configuration`."""

    configuration = ""

    @classmethod
    def setUpClass(cls):
        cls.weir = Weir(cls.configuration)
        cls.addClassCleanup(cls.weir.stop)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before and self.weir.directory is not None:
            print(f"--- {self.id()}: the end of the log\n{self.weir.log_end()}\n---")
        return result


class AsyncTestCase(unittest.IsolatedAsyncioTestCase):
    """Coroutines as tests, without asyncio's debug mode: it is slow, and slow is what it complains about."""

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)


class AsyncWeirTestCase(WeirTestCase, AsyncTestCase):
    """Coroutines that share one server."""
