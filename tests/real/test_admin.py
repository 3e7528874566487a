"""test_admin - the admin listener: health, metrics as Prometheus reads them, reload with the token, bad requests.

SPDX-License-Identifier: MIT
"""

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from admin_server import TOKEN, WithAdmin
from raw_client import PING, PONG, TEXT, RawClient, frame, request, upgrade_headers
from weir_process import PATIENCE, free_port, run_weir, until

ECHO = "[route /echo]\nhandler = echo\n"
BEYOND = "0.0.0.0"


def configuration(listen="127.0.0.1", more="", routes=ECHO):
    return f"[server]\nlisten = 127.0.0.1:PORT\nworkers = 4\ndrain_timeout = 3s\n[admin]\nlisten = {listen}:ADMIN\n{more}{routes}"


class Health(unittest.TestCase):
    def test_running_server_is_healthy_and_ready(self):
        with WithAdmin(configuration()) as weir:
            self.assertEqual(weir.ask("GET", "/healthz")[::2], (200, "ok\n"))
            self.assertEqual(weir.ask("GET", "/readyz")[::2], (200, "ready\n"))
            self.assertEqual(weir.ask("HEAD", "/readyz")[::2], (200, ""))

    def test_draining_server_is_healthy_but_not_ready(self):
        routes = "[route /light/{status}]\nhandler = plugin:EXAMPLES/light.so\ndelay = 2s\n"
        with WithAdmin(configuration(routes=routes)) as weir, RawClient(weir.port, "/light/on") as client:
            client.send(frame(TEXT, b"10.0.0.1"))
            until(lambda: weir.metrics()["weir_workers_busy"] == 1, "the handler blocks")
            weir.process.terminate()
            until(lambda: weir.ask("GET", "/readyz")[0] == 503, "not ready any more")
            self.assertEqual(weir.ask("GET", "/healthz")[0], 200)
            self.assertEqual(weir.process.wait(PATIENCE), 0)


class Metrics(unittest.TestCase):
    @unittest.skipUnless(shutil.which("promtool"), "promtool, of Debian's package prometheus, is not installed")
    def test_metrics_pass_promtool(self):
        with WithAdmin(configuration()) as weir:
            with RawClient(weir.port, "/echo") as client:
                client.send(frame(TEXT, b"x"))
                client.frame()
                status, headers, text = weir.ask("GET", "/metrics")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        check = subprocess.run([shutil.which("promtool"), "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((check.returncode, check.stdout + check.stderr), (0, ""))

    def test_metrics_count_messages_connections_and_refusals(self):
        routes = ECHO + (
            "[route /broadcast]\nhandler = broadcast\n"
            "[route /light/{status}]\nhandler = plugin:EXAMPLES/light.so\ndelay = 30ms\n"
        )
        with WithAdmin(configuration(routes=routes, more="[websocket]\nping_interval = 100ms\n")) as weir:
            with RawClient(weir.port, "/echo") as echo:
                for size in (1, 10, 1000):
                    echo.send(frame(TEXT, b"x" * size))
                    while echo.frame().opcode != TEXT:
                        pass
                listeners = [RawClient(weir.port, "/broadcast") for _ in range(3)]
                listeners[0].send(frame(TEXT, b"four"))
                for listener in listeners:
                    while listener.frame().opcode != TEXT:
                        pass
                with RawClient(weir.port, "/light/on") as light:
                    light.send(frame(TEXT, b"10.0.0.1"))
                    while light.frame().opcode != TEXT:
                        pass
                ping = echo.frame()
                while ping.opcode != PING:
                    ping = echo.frame()
                echo.send(frame(PONG, ping.payload))
                until(lambda: weir.metrics()["weir_round_trip_seconds_count"] >= 1, "the pong is counted")
                for path, status in (("/nowhere", 101), ("/echo", 403)):
                    with RawClient(weir.port) as client:
                        client.send(request(path, upgrade_headers(Origin="https://example.org" if status == 403 else None)))
                        self.assertEqual(client.response().status, status)
                listeners[2].vanish()
                until(lambda: weir.metrics().get('weir_connections_closed_total{code="1006"}') == 2, "it is gone")
                found = weir.metrics()
        expected = {
            'weir_messages_received_total{route="/echo"}': 3,
            'weir_message_bytes_received_total{route="/echo"}': 1011,
            'weir_messages_sent_total{route="/echo"}': 3,
            'weir_message_bytes_sent_total{route="/echo"}': 1011,
            'weir_messages_sent_total{route="/broadcast"}': 3,
            'weir_message_bytes_sent_total{route="/broadcast"}': 12,
            'weir_route_connections{route="/broadcast"}': 2,
            'weir_route_connections{route="/echo"}': 1,
            "weir_broadcast_receivers_sum": 3,
            "weir_broadcast_receivers_count": 1,
            "weir_connections_accepted_total": 6,
            'weir_connections_refused_total{reason="origin"}': 1,
            "weir_workers": 4,
        }
        self.assertEqual({name: found[name] for name in expected}, expected)
        self.assertGreaterEqual(found['weir_handler_duration_seconds_sum{route="/light/{status}"}'], 0.03)
        self.assertGreaterEqual(found["weir_handshake_duration_seconds_count"], 6)
        self.assertGreater(found["weir_pings_sent_total"], 0)
        self.assertGreater(found["process_resident_memory_bytes"], 1e6)
        self.assertLess(abs(found["process_start_time_seconds"] - time.time()), 60)

    def test_counters_never_fall_while_clients_come_and_go(self):
        with WithAdmin(configuration()) as weir:
            stop = threading.Event()

            def churn():
                while not stop.is_set():
                    with RawClient(weir.port, "/echo") as client:
                        client.send(frame(TEXT, b"x"))
                        client.frame()

            threads = [threading.Thread(target=churn) for _ in range(4)]
            for thread in threads:
                thread.start()
            names = ('weir_messages_sent_total{route="/echo"}', "weir_connections_accepted_total")
            before = dict.fromkeys(names, 0)
            for _ in range(50):
                found = weir.metrics()
                for name in names:  # a counter never falls
                    self.assertGreaterEqual(found[name], before[name])
                    before[name] = found[name]
            stop.set()
            for thread in threads:
                thread.join()
            until(lambda: weir.metrics()["weir_connections"] == 0, "all have left")


class Reload(unittest.TestCase):
    def test_reload_answers_with_its_result(self):
        with WithAdmin(configuration()) as weir:
            weir.write(configuration(routes=ECHO + "[route /more]\nhandler = echo\n"))
            status, _, text = weir.ask("POST", "/api/reload")
            self.assertEqual((status, json.loads(text)), (200, {"message": "reloaded: 2 routes, 0 more with clients that stay"}))
            weir.write(configuration(routes="[route /echo]\nhandler = teapot\n"))
            status, _, text = weir.ask("POST", "/api/reload")
            self.assertEqual(status, 409)
            self.assertRegex(text, r"weir\.ini:\d+: .*teapot")
            found = weir.metrics()
            self.assertEqual(found['weir_reloads_total{result="done"}'], 1)
            self.assertEqual(found['weir_reloads_total{result="refused"}'], 1)

    def test_reload_needs_the_current_token(self):
        right = {"Authorization": f"Bearer {TOKEN}"}
        wrong = [{}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}x"},
                 {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": f"Basic {TOKEN}"}]  # fmt: skip
        with WithAdmin(configuration(BEYOND, f"token = {TOKEN}\n")) as weir:
            for headers in wrong:
                status, answer, _ = weir.ask("POST", "/api/reload", headers)
                self.assertEqual((status, answer["WWW-Authenticate"]), (401, 'Bearer realm="weir"'))
            for path in ("/healthz", "/readyz", "/metrics"):
                self.assertEqual(weir.ask("GET", path)[0], 200)
            self.assertEqual(weir.ask("POST", "/api/reload", right)[0], 200)
            weir.write(configuration(BEYOND, "token = another-token-0123\n"))
            self.assertEqual(weir.ask("POST", "/api/reload", right)[0], 200)
            self.assertEqual(weir.ask("POST", "/api/reload", right)[0], 401)
            self.assertNotIn(TOKEN, weir.log())

    def test_reload_without_token_is_forbidden_beyond_loopback(self):
        with WithAdmin(configuration(BEYOND)) as weir:
            status, _, text = weir.ask("POST", "/api/reload")
            self.assertEqual(status, 403)
            self.assertIn("token", text)
            self.assertEqual(weir.ask("GET", "/metrics")[0], 200)


class Requests(unittest.TestCase):
    def test_unknown_paths_get_404_and_methods_405(self):
        with WithAdmin(configuration()) as weir:
            self.assertEqual(weir.ask("GET", "/nothing")[0], 404)
            status, headers, _ = weir.ask("GET", "/api/reload")
            self.assertEqual((status, headers["Allow"]), (405, "POST"))
            status, headers, _ = weir.ask("DELETE", "/metrics")
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
            self.assertEqual(weir.ask("POST", "/healthz", body=b"x" * 1000)[0], 405)
            self.assertEqual(weir.ask("GET", "/readyz")[0], 200)

    def test_admin_connections_are_kept_alive(self):
        with WithAdmin(configuration()) as weir:
            connection = http.client.HTTPConnection("127.0.0.1", weir.admin_port, timeout=PATIENCE)
            connection.connect()
            name = connection.sock.getsockname()
            for path in ("/healthz", "/metrics", "/nothing", "/readyz"):
                connection.request("GET", path)
                connection.getresponse().read()
                self.assertEqual(connection.sock.getsockname(), name)
            begun = time.monotonic()
            weir.stop()  # an idle connection does not delay the stop
            self.assertLess(time.monotonic() - begun, PATIENCE)
            connection.close()

    def test_large_body_is_not_read_to_its_end(self):
        with WithAdmin(configuration()) as weir:
            with socket.create_connection(("127.0.0.1", weir.admin_port), timeout=PATIENCE) as client:
                client.sendall(b"POST /api/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000000\r\n\r\n")
                answer = client.recv(65536)
                self.assertRegex(answer, rb"^HTTP/1\.1 200 [\s\S]*Connection: close\r\n")
                until(lambda: not self.takes_more(client), "the connection is closed")

    def takes_more(self, client):
        try:
            client.send(b"x" * 65536)
            return True
        except OSError:
            return False

    def test_start_fails_if_the_admin_port_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            text = configuration().replace("ADMIN", str(port)).replace("PORT", str(free_port()))
            with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
                file.write(text)
                file.flush()
                done = run_weir("serve", "-c", file.name)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"\[admin\] listen: .*in use")


if __name__ == "__main__":
    unittest.main()
