"""test_descriptors - files and sockets that others open in the process do not disturb the server: ones that take every
low descriptor, and ports that a plug-in listens on while the server starts.

SPDX-License-Identifier: MIT
"""

import contextlib
import socket
import tempfile
import time
import unittest
from pathlib import Path

from admin_server import WithAdmin
from limited_server import LimitedWeir, try_to_enter
from plugin_build import compile_plugin
from raw_client import PATIENCE, TEXT, RawClient, frame, request
from weir_process import Weir, until

SERVER = "[server]\nlisten = 127.0.0.1:PORT\n"
LIMIT = 2000
OWN = 60  # descriptors that the server has for itself, at most, and the descriptor guard keeps free


class Plugins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-test-"))

    def plugin(self, name):
        return f"[route /plugin]\nhandler = plugin:{compile_plugin(name, self.directory)}\n"

    def echo(self, client):
        client.send(frame(TEXT, b"here"))
        self.assertEqual(client.frame().payload, b"here")


class EveryLowNumberIsTaken(Plugins):
    def enter_all(self, stack, weir):
        """Connects clients until one is refused."""
        clients = []
        while isinstance(client := try_to_enter(weir, "/plugin"), RawClient):
            clients.append(stack.enter_context(client))
        self.assertIn(client, (503, None))
        return clients

    def check(self, options, before=0):
        """Every client takes two descriptors, one of them opened by the plug-in; the whole limit can be used."""
        configuration = SERVER + "[websocket]\nhandshake_timeout = 2s\n" + self.plugin("descriptor_per_client")
        with contextlib.ExitStack() as stack:
            weir = stack.enter_context(LimitedWeir(LIMIT, configuration + options))
            clients = self.enter_all(stack, weir)
            self.assertGreaterEqual(2 * len(clients), LIMIT - before - OWN)
            for client in clients:
                self.echo(client)
            for client in clients[:10]:
                client.vanish()
            self.echo(stack.enter_context(until(lambda: self.entered(weir), "there is room for another")))
            self.assertTimesOut(weir)

    def entered(self, weir):
        answer = try_to_enter(weir, "/plugin")
        return answer if isinstance(answer, RawClient) else None

    def assertTimesOut(self, weir):
        """The half-open reaper sees a client with a high descriptor too."""
        with RawClient(weir.port) as client:
            client.send(request("/plugin")[:30])
            self.assertEqual(client.response().status, 408)

    def test_server_works_with_a_file_per_client(self):
        self.check("")

    def test_server_works_with_a_socket_per_client(self):
        self.check("sockets = yes\n")

    def test_server_works_with_files_opened_before_clients(self):
        self.check("before = 1500\n", before=1500)

    def test_admin_listener_works_above_the_low_numbers(self):
        """The slow-request reaper sees clients with high descriptors, and a stop does not wait for them."""
        configuration = SERVER + "[admin]\nlisten = 127.0.0.1:ADMIN\n" + self.plugin("descriptor_per_client")
        with WithAdmin(configuration + "before = 1500\n") as weir:
            self.assertEqual(weir.metrics()["weir_connections"], 0)
            with RawClient(weir.admin_port) as slow, RawClient(weir.admin_port) as idle:
                slow.send(b"GET /healthz HTT")
                idle.send(request("/healthz", [("Host", "127.0.0.1")]))
                self.assertEqual(idle.response().status, 200)
                self.assertEqual(slow.response().status, 408)
                self.assertEqual(idle.socket.recv(1), b"")
            with RawClient(weir.admin_port) as idle:
                idle.send(request("/healthz", [("Host", "127.0.0.1")]))
                self.assertEqual(idle.response().status, 200)
                start = time.monotonic()
                weir.stop()
                print(f"stopped in {time.monotonic() - start:.2f} s", end=" ", flush=True)


class PortsOfOthers(Plugins):
    def test_clients_of_a_plugins_ports_are_left_alone(self):
        """However slow these clients are: the server's timeouts do not apply to them."""
        file = Path(self.directory) / "ports"
        configuration = SERVER + "[websocket]\nhandshake_timeout = 1s\n" + self.plugin("ports_of_its_own")
        with contextlib.ExitStack() as stack:
            stack.enter_context(Weir(configuration + f"file = {file}\n"))
            until(lambda: file.read_text().endswith("\n\n"), "all ports are open")
            ports = [int(line) for line in file.read_text().split()]
            clients = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE)) for port in ports
            ]
            self.assertGreater(len(clients), 100)
            for client in clients:
                client.sendall(b"wait")
            time.sleep(2.5)
            for client in clients:
                client.sendall(b" for me\n")
            for port, client in zip(ports, clients):
                self.assertEqual(client.recv(100), b"wait for me\n", port)


class Gone(Plugins):
    def test_client_that_resets_counts_as_gone(self):
        """The client resets its connection while the server answers its handshake."""
        configuration = SERVER + "[admin]\nlisten = 127.0.0.1:ADMIN\n" + self.plugin("slow_upgrade")
        with WithAdmin(configuration) as weir:
            clients = [RawClient(weir.port) for _ in range(5)]
            for client in clients:
                client.send(request("/plugin"))
            time.sleep(0.5)  # the callback takes three seconds
            for client in clients:
                client.vanish()
            name = 'weir_connections_refused_total{{reason="{}"}}'.format
            until(lambda: sum(self.refused(weir).values()) == 5, "all are counted")
            self.assertEqual(self.refused(weir), {name("gone"): 5})
            self.assertNotIn("event=adoption", weir.log())

    def refused(self, weir):
        return {name: value for name, value in weir.metrics().items() if "_refused_total{" in name and value > 0}


if __name__ == "__main__":
    unittest.main()
