"""test_health - `weir health` against a real server, and against others that answer wrongly, late or never.

SPDX-License-Identifier: MIT
"""

import contextlib
import os
import signal
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from raw_client import RawClient
from weir_process import PATIENCE, Weir, WeirTestCase, free_port, run_weir

ROUTE = "[route /echo]\nhandler = echo\n"


class Answers:
    """A listener that gives each client these bytes, and closes; None: accepts it and says nothing."""

    def __init__(self, answer, family=socket.AF_INET, address="127.0.0.1"):
        self.answer = answer
        self.listener = socket.socket(family)
        self.listener.bind((address, 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.requests = []
        self.held = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.held.append(client)
            self.requests.append(client.recv(65536))
            if self.answer is not None:
                with contextlib.suppress(ConnectionError):  # it need not read everything
                    client.sendall(self.answer)
                client.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for client in self.held:
            client.close()


class HealthTestCase(unittest.TestCase):
    def assertReady(self, *arguments):
        done = run_weir("health", *arguments)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ready\n", ""))

    def assertNot(self, status, reason, *arguments):
        done = run_weir("health", *arguments)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(reason, done.stderr)

    def write(self, text):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(directory.cleanup)
        file = Path(directory.name) / "weir.ini"
        file.write_text(text)
        return file


class Serving(WeirTestCase, HealthTestCase):
    configuration = f"[server]\nlisten = 127.0.0.1:PORT\n{ROUTE}"

    def test_health_by_url_reports_ready(self):
        self.assertReady(f"http://127.0.0.1:{self.weir.port}/readyz")
        self.assertReady(f"http://127.0.0.1:{self.weir.port}")
        self.assertReady(f"http://localhost:{self.weir.port}/readyz")

    def test_health_asks_the_path_of_the_url(self):
        done = run_weir("health", f"http://127.0.0.1:{self.weir.port}/healthz")
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n"))
        self.assertNot(1, "404 Nothing is here.", f"http://127.0.0.1:{self.weir.port}/nowhere")

    def test_health_asks_the_first_address(self):
        file = self.write(f"[server]\nlisten = 127.0.0.1:{self.weir.port}, 127.0.0.1:{free_port()}\n{ROUTE}")
        self.assertReady("-c", file)
        self.assertReady("--config", file)

    def test_health_asks_loopback_for_wildcards(self):
        self.assertReady("-c", self.write(f"[server]\nlisten = 0.0.0.0:{self.weir.port}\n{ROUTE}"))
        self.assertReady("-c", self.write(f"[server]\nlisten = {self.weir.port}\n{ROUTE}"))

    def test_health_uses_environment_and_settings(self):
        wrong, right = f"127.0.0.1:{free_port()}", f"127.0.0.1:{self.weir.port}"
        file = self.write(f"[server]\nlisten = {wrong}\n{ROUTE}")
        with mock.patch.dict(os.environ, {"WEIR_SERVER_LISTEN": right}):
            self.assertReady("-c", file)
            self.assertNot(1, "refused", "-c", file, "--set", f"server.listen={wrong}")
        self.assertReady("-c", file, "-s", f"server.listen={right}")

    def test_health_loads_no_plugins(self):
        """A health check must not run the start code of plug-ins."""
        text = f"[server]\nlisten = {self.weir.port}\n[route /x]\nhandler = plugin:/nonexistent/plugin.so\n"
        self.assertReady("-c", self.write(text))


class Stopping(HealthTestCase):
    def test_health_reports_503_while_stopping(self):
        """A client that does not answer its Close prolongs the stop."""
        slow = "drain_timeout = 1m\n[websocket]\nclose_timeout = 1m\n"
        with Weir(f"[server]\nlisten = 127.0.0.1:PORT\n{slow}{ROUTE}") as weir:
            with RawClient(weir.port, upgrade="/echo") as client:
                weir.process.send_signal(signal.SIGTERM)
                weir.log_line("stopping")
                self.assertNot(1, "503 stopping", f"http://127.0.0.1:{weir.port}/readyz")
                client.socket.close()
            weir.process.wait(PATIENCE)
        self.assertNot(1, "refused", f"http://127.0.0.1:{weir.port}/readyz")


class Others(HealthTestCase):
    """Servers other than weir."""

    def test_health_asks_ipv6_addresses(self):
        with Answers(b"HTTP/1.1 200 OK\r\n\r\nready\n", socket.AF_INET6, "::1") as other:
            self.assertReady(f"http://[::1]:{other.port}/readyz")
            self.assertReady("-c", self.write(f"[server]\nlisten = [::]:{other.port}\n{ROUTE}"))
            self.assertIn(b"Host: [::1]:%d\r\n" % other.port, other.requests[0])
            self.assertEqual(other.requests[1].split(b"\r\n")[0], b"GET /readyz HTTP/1.1")

    def test_health_reports_answers_that_are_not_http(self):
        for answer in (b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 \r\n\r\n", bytes(5000)):
            with self.subTest(answer=answer[:20]), Answers(answer) as other:
                self.assertNot(1, "the response is not HTTP", f"http://127.0.0.1:{other.port}/")

    def test_health_fails_for_other_statuses(self):
        for status in (204, 301, 404, 500):
            with self.subTest(status=status), Answers(b"HTTP/1.1 %d Whatever\r\n\r\n" % status) as other:
                self.assertNot(1, str(status), f"http://127.0.0.1:{other.port}/")

    def test_health_prints_no_control_characters(self):
        with Answers(b"HTTP/1.1 500 x\r\n\r\nbad\x1b[31m\xff\r\n") as other:
            self.assertNot(1, "500 bad\n", f"http://127.0.0.1:{other.port}/")

    def test_health_accepts_a_long_answer(self):
        with Answers(b"HTTP/1.1 200 OK\r\n\r\nready\n" + b"x" * 100000) as other:
            self.assertReady(f"http://127.0.0.1:{other.port}/")

    def test_health_times_out_after_2_s(self):
        with Answers(None) as other:
            start = time.monotonic()
            self.assertNot(1, "timed out", f"http://127.0.0.1:{other.port}/")
            self.assertGreaterEqual(time.monotonic() - start, 1.9)

    def test_health_reports_refused_connections(self):
        self.assertNot(1, "refused", f"http://127.0.0.1:{free_port()}/")
        self.assertNot(1, "refused", "-c", self.write(f"[server]\nlisten = {free_port()}\n{ROUTE}"))


class Usage(HealthTestCase):
    def test_health_refuses_wrong_urls(self):
        for url in ("", "/readyz", "127.0.0.1:9000", "https://127.0.0.1/", "ws://127.0.0.1/", "http://", "http:///x",
                    "http://host:/", "http://host:x/", "http://host:1234567/", "http://[::1/", "http://[::1]x/",
                    "http://host/a b", "http://host/a\r\nX: y", "http://" + "h" * 300, "http://h/" + "p" * 2000):
            with self.subTest(url=url):
                self.assertNot(2, "invalid URL", url)

    def test_health_refuses_wrong_arguments(self):
        self.assertNot(2, "unexpected", "http://127.0.0.1/", "http://127.0.0.1/")
        self.assertNot(2, "unknown option --nonsense", "--nonsense")
        self.assertNot(2, "nonsense", "--set", "server.nonsense=1")

    def test_health_refuses_a_wrong_configuration(self):
        self.assertNot(2, "/nonexistent/weir.ini", "-c", "/nonexistent/weir.ini")
        self.assertNot(2, "workers", "-c", self.write("[server]\nworkers = many\n" + ROUTE))

    def test_health_help_fits_100_columns(self):
        done = run_weir("health", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("usage: weir health", done.stdout)
        self.assertEqual([line for line in done.stdout.splitlines() if len(line) > 100], [])


if __name__ == "__main__":
    unittest.main()
