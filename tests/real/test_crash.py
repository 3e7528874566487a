"""test_crash - a plug-in that crashes: the process ends by the signal, and its last log line says where.

SPDX-License-Identifier: MIT
"""

import contextlib
import json
import re
import signal
import subprocess
import tempfile
import unittest

from plugin_build import compile_plugin
from process_state import SANITIZED
from raw_client import TEXT, RawClient, close_frame, frame
from weir_process import PATIENCE, ROOT, WEIR, Weir

CONFIGURATION = """[server]
listen = 127.0.0.1:PORT
[log]
format = json
[route /echo]
handler = echo
[route /crash/{name}]
handler = plugin:PLUGIN
callback = CALLBACK
way = WAY
"""


@unittest.skipIf(SANITIZED, "a sanitizer reports crashes itself")
class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        cls.addClassCleanup(directory.cleanup)
        cls.plugin = compile_plugin("crashes", directory.name, "-g")

    def configuration(self, callback, way):
        text = CONFIGURATION.replace("PLUGIN", str(self.plugin))
        return text.replace("CALLBACK", callback).replace("WAY", way)

    def crash(self, callback, way, number):
        """Lets a client cause the crash. Returns the events of the log."""
        with Weir(self.configuration(callback, way)) as weir:
            with contextlib.suppress(EOFError, OSError), RawClient(weir.port, "/crash/one") as client:
                client.send(frame(TEXT, b"x") + close_frame(1000))
                client.frame()
            weir.process.wait(PATIENCE)
            events = [json.loads(line) for line in weir.log().splitlines() if line.startswith("{")]
            weir.stop(status=-number)
        return events

    def check(self, event, callback, name, function):
        self.assertEqual((event["event"], event["level"], event["signal"]), ("crash", "error", name))
        self.assertEqual(event["callback"], callback)
        offset = re.search(r"crashes\.so\+(0x[0-9a-f]+)", event["backtrace"])
        self.assertIsNotNone(offset, event)
        line = ["addr2line", "-f", "-e", self.plugin, offset[1]]
        self.assertEqual(subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()[0], function)

    def test_crash_in_each_callback_is_logged(self):
        for callback in ["upgrade", "open", "message", "close", "timer"]:
            with self.subTest(callback=callback):
                event = self.crash(callback, "null", signal.SIGSEGV)[-1]
                self.check(event, callback, "SIGSEGV", "crash_by_null")
                self.assertEqual(event["address"], "0x0")
                if callback != "timer":
                    self.assertEqual(event["route"], "/crash/{name}")
                    self.assertEqual(event["handler"], f"plugin:{self.plugin}")
                self.assertEqual("conn" in event, callback not in ("upgrade", "timer"))

    def test_each_kind_of_crash_is_logged(self):
        for way, name, function in [("abort", "SIGABRT", "crash"), ("free", "SIGABRT", "free_twice"),
                                    ("divide", "SIGFPE", "crash"), ("overflow", "SIGSEGV", "crash_by_overflow")]:
            with self.subTest(way=way):
                self.check(self.crash("message", way, signal.Signals[name])[-1], "message", name, function)

    def test_stack_overflow_is_logged(self):
        for callback in ["upgrade", "timer"]:
            with self.subTest(callback=callback):
                event = self.crash(callback, "overflow", signal.SIGSEGV)[-1]
                self.check(event, callback, "SIGSEGV", "crash_by_overflow")

    def test_crash_in_start_is_logged(self):
        """On the main thread, before there are clients."""
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write(self.configuration("start", "null").replace("PORT", "0"))
            file.flush()
            done = subprocess.run([WEIR, "serve", "-c", file.name], cwd=ROOT, capture_output=True, text=True,
                                  timeout=PATIENCE)
        self.assertEqual(done.returncode, -signal.SIGSEGV)
        event = json.loads(done.stderr.splitlines()[-1])
        self.check(event, "start", "SIGSEGV", "crash_by_null")
        self.assertEqual(event["route"], "/crash/{name}")

    def test_lines_before_a_crash_are_written(self):
        with Weir(self.configuration("message", "null")) as weir:
            for _ in range(20):
                with RawClient(weir.port, "/echo") as client:
                    client.send(close_frame(1000))
                    client.frame()
            with RawClient(weir.port, "/crash/last") as last:
                last.send(frame(TEXT, b"x"))
                weir.process.wait(PATIENCE)
            events = [json.loads(line)["event"] for line in weir.log().splitlines()]
            weir.stop(status=-signal.SIGSEGV)
        self.assertEqual(events[-1], "crash")
        self.assertEqual((events.count("close"), events.count("crash")), (20, 1))

    def test_signal_of_another_process_is_logged_without_callback(self):
        with Weir(self.configuration("none", "null")) as weir:
            weir.process.send_signal(signal.SIGBUS)
            weir.process.wait(PATIENCE)
            event = json.loads(weir.log().splitlines()[-1])
            weir.stop(status=-signal.SIGBUS)
        self.assertEqual((event["event"], event["signal"]), ("crash", "SIGBUS"))
        self.assertNotIn("callback", event)


if __name__ == "__main__":
    unittest.main()
