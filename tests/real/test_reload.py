"""test_reload - the configuration is read again while clients are connected: what changes for which clients, that a
wrong file changes nothing, and that no client is lost.

SPDX-License-Identifier: MIT
"""

import asyncio
import random
import shutil
import tempfile
import unittest
from pathlib import Path

import websockets
from admin_server import Reloading
from process_state import SANITIZED, memory
from raw_client import BINARY, CLOSE, PING, TEXT, RawClient, frame, request, upgrade_headers
from weir_process import EXAMPLES, scaled, until

HEAD = "[server]\nlisten = 127.0.0.1:PORT\nworkers = 4\n"
ECHO = "[route /echo]\nhandler = echo\n"
BROADCAST = "[route /broadcast]\nhandler = broadcast\n"
LIGHT = "[route /light/{status}]\nhandler = plugin:EXAMPLES/light.so\ndelay = %s\n"


def status_of(client, path, **headers):
    client.send(request(path, upgrade_headers(**headers)))
    return client.response().status


class Routes(unittest.TestCase):
    def test_reload_adds_and_retires_routes(self):
        with Reloading(HEAD + ECHO) as weir:
            self.assertIn("done=yes routes=2", weir.reload(HEAD + ECHO + BROADCAST))
            with RawClient(weir.port, "/broadcast") as client:
                client.send(frame(TEXT, b"all"))
                self.assertEqual(client.frame().payload, b"all")
                self.assertIn("done=yes routes=1 retired=1", weir.reload(HEAD + ECHO))
                client.send(frame(TEXT, b"still served"))
                self.assertEqual(client.frame().payload, b"still served")
                late = RawClient(weir.port, "/broadcast")
                self.assertEqual(int.from_bytes(late.frame().payload[:2], "big"), 4040)
            until(lambda: "retired=0" in weir.hang_up(), "the route is gone")

    def test_reload_keeps_old_and_new_clients_in_one_room(self):
        with Reloading(HEAD + BROADCAST) as weir, RawClient(weir.port, "/broadcast") as before:
            weir.reload(HEAD + "[websocket]\nping_interval = 7s\n" + BROADCAST + ECHO)
            with RawClient(weir.port, "/broadcast") as after:
                after.send(frame(TEXT, b"from after"))
                self.assertEqual(before.frame().payload, b"from after")
                before.send(frame(TEXT, b"from before"))
                self.assertEqual([after.frame().payload, after.frame().payload], [b"from after", b"from before"])

    def test_reload_changes_echo_self_and_origins(self):
        with Reloading(HEAD + BROADCAST) as weir, RawClient(weir.port, "/broadcast") as client:
            weir.reload(HEAD + BROADCAST + "echo_self = no\norigins = https://example.org\n")
            client.send(frame(TEXT, b"not for me"))
            client.send(frame(PING, b"p"))
            self.assertEqual(client.frame().payload, b"p")
            for origin, status in (("https://example.org", 101), ("https://example.com", 403)):
                with RawClient(weir.port) as other:
                    self.assertEqual(status_of(other, "/broadcast", Origin=origin), status)

    def test_reload_of_an_empty_file_changes_nothing(self):
        with Reloading(HEAD + ECHO) as weir, RawClient(weir.port, "/echo") as client:
            for text in ("", "\n", "# nothing yet\n", HEAD, "[server]\n", "include = gone.d/*.ini\n" + HEAD):
                with self.subTest(text):
                    line = weir.reload(text)
                    self.assertIn("done=no", line)
                    self.assertRegex(line, "is empty, but it had routes|has no routes; the current one has 1")
            client.send(frame(TEXT, b"as before"))
            self.assertEqual(client.frame().payload, b"as before")
            with RawClient(weir.port, "/echo") as other:
                other.send(frame(TEXT, b"new"))
                self.assertEqual(other.frame().payload, b"new")
            self.assertIn("done=yes", weir.reload(HEAD + BROADCAST))

    def test_reload_of_an_empty_include_changes_nothing(self):
        with Reloading(HEAD + ECHO) as weir:
            included = Path(weir.directory.name) / "more.ini"
            included.write_text(BROADCAST)
            both = "include = mor*.ini\n" + HEAD + ECHO
            self.assertIn("done=yes routes=2", weir.reload(both))
            included.write_text("")
            self.assertRegex(weir.hang_up(), r"done=no error=.*more\.ini is empty, but it had routes")
            with RawClient(weir.port, "/broadcast") as client:
                client.send(frame(TEXT, b"still there"))
                self.assertEqual(client.frame().payload, b"still there")
            included.unlink()
            self.assertIn("done=yes routes=1", weir.hang_up())

    def test_route_that_is_added_again_has_its_clients(self):
        with Reloading(HEAD + ECHO + BROADCAST) as weir, RawClient(weir.port, "/broadcast") as early:
            weir.reload(HEAD + ECHO)
            self.assertIn("retired=0", weir.reload(HEAD + ECHO + BROADCAST))
            with RawClient(weir.port, "/broadcast") as late:
                late.send(frame(TEXT, b"again"))
                self.assertEqual(early.frame().payload, b"again")


class Plugins(unittest.TestCase):
    def switch(self, client):
        client.send(frame(TEXT, b"10.0.0.1"))
        return client.frame().payload

    def test_removed_plugin_stays_until_its_last_client_left(self):
        with Reloading(HEAD + ECHO + LIGHT % "10ms") as weir:
            with RawClient(weir.port, "/light/on") as client:
                self.assertIn("retired=1", weir.reload(HEAD + ECHO))
                self.assertTrue(self.switch(client))
                self.assertTrue(weir.maps("light.so"))
            if not SANITIZED:  # a sanitizer keeps libraries loaded
                until(lambda: not weir.maps("light.so"), "the plug-in is unloaded")

    def test_new_plugin_options_apply_to_new_clients(self):
        with Reloading(HEAD + LIGHT % "10ms") as weir, RawClient(weir.port, "/light/on") as before:
            self.assertIn("retired=1", weir.reload(HEAD + LIGHT % "20ms"))
            with RawClient(weir.port, "/light/on") as after:
                self.assertTrue(self.switch(before) and self.switch(after))
            self.assertIn("retired=1", weir.hang_up())

    def test_recompiled_plugin_needs_a_restart(self):
        with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
            plugin = Path(directory) / "light.so"
            shutil.copy(EXAMPLES / "light.so", plugin)
            configuration = HEAD + f"[route /light/{{status}}]\nhandler = plugin:{plugin}\n"
            with Reloading(configuration) as weir:
                self.assertIn("done=yes", weir.hang_up())
                self.assertNotIn("restart the server", weir.log())
                new = Path(directory) / "new.so"
                shutil.copy(EXAMPLES / "light.so", new)
                new.replace(plugin)
                for text in (configuration, configuration + "delay = 1ms\n"):
                    self.assertIn("done=yes", weir.reload(text))
                    lines = [line for line in weir.log().splitlines() if "restart the server to load the new" in line]
                    self.assertTrue(all(f"plugin:{plugin}" in line for line in lines))
                    self.assertEqual(len(lines), weir.reloads - 1, weir.log())

    def test_plugin_that_does_not_load_changes_nothing(self):
        bad = "[route /bad]\nhandler = plugin:/nowhere/bad.so\n"
        with Reloading(HEAD + ECHO) as weir, RawClient(weir.port, "/echo") as client:
            line = weir.reload(HEAD + bad + LIGHT % "10ms")
            self.assertRegex(line, r"done=no error=.*weir\.ini:\d+: handler: plug-in does not load")
            client.send(frame(TEXT, b"as before"))
            self.assertEqual(client.frame().payload, b"as before")
            with RawClient(weir.port, "/echo") as other:
                other.send(frame(TEXT, b"new"))
                self.assertEqual(other.frame().payload, b"new")


class Limits(unittest.TestCase):
    def with_limits(self, **limits):
        lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
        return HEAD + "[websocket]\n" + lines + ECHO

    def test_reload_of_a_wrong_file_changes_nothing(self):
        wrong = {
            "[server]\nlisten = nonsense\n": "listen",
            HEAD + "[websocket]\nping_interval = 20 sec\n" + ECHO: "ping_interval",
            HEAD + "[route /echo\nhandler = echo\n": "weir.ini:",
            HEAD + "[route /echo]\nhandler = teapot\n": "teapot",
            HEAD + "[websocket]\nsend_buffer_hard = 1MiB\n" + ECHO: "send_buffer_hard",
        }
        with Reloading(self.with_limits(max_message_size="100")) as weir, RawClient(weir.port, "/echo") as client:
            for text, named in wrong.items():
                with self.subTest(named):
                    line = weir.reload(text)
                    self.assertIn("done=no", line)
                    self.assertIn(named, line)
            (Path(weir.directory.name) / "weir.ini").unlink()
            self.assertIn("done=no", weir.hang_up())
            client.send(frame(TEXT, b"x" * 100))
            self.assertEqual(client.frame().payload, b"x" * 100)
            client.send(frame(TEXT, b"x" * 101))
            self.assertEqual(int.from_bytes(client.frame().payload[:2], "big"), 1009)

    def test_new_limits_apply_to_connected_clients(self):
        with Reloading(self.with_limits(ping_interval="0")) as weir:
            with RawClient(weir.port, "/echo") as client:
                weir.reload(self.with_limits(ping_interval="50ms", max_message_size="10"))
                self.assertEqual(client.frame().opcode, PING)
                client.send(frame(BINARY, b"x" * 11))
                answer = client.frame()
                while answer.opcode == PING:
                    answer = client.frame()
                self.assertEqual((answer.opcode, answer.payload[:2]), (CLOSE, (1009).to_bytes(2, "big")))

    def test_idle_timeout_begins_with_the_reload(self):
        with Reloading(self.with_limits(ping_interval="0")) as weir, RawClient(weir.port, "/echo") as client:
            weir.reload(self.with_limits(ping_interval="0", idle_timeout="300ms"))
            client.send(frame(TEXT, b"not idle yet"))
            self.assertEqual(client.frame().payload, b"not idle yet")
            self.assertEqual(client.frame().payload[:2], (1001).to_bytes(2, "big"))

    def test_reload_changes_max_connections(self):
        with Reloading(HEAD + "max_connections = 2\n" + ECHO) as weir:
            kept = [RawClient(weir.port, "/echo") for _ in range(2)]
            self.assertEqual(self.status(weir), 503)
            weir.reload(HEAD + "max_connections = 3\nmax_connections_per_ip = 1\n" + ECHO)
            self.assertEqual(self.status(weir), 101)  # earlier connections are not counted
            weir.reload(HEAD + "max_connections = 1\n" + ECHO)
            self.assertEqual(self.status(weir), 503)
            for client in kept:
                client.send(frame(TEXT, b"kept"))
                self.assertEqual(client.frame().payload, b"kept")

    def status(self, weir):
        with RawClient(weir.port) as client:
            return status_of(client, "/echo")

    def test_reload_changes_the_log_level(self):
        """One connection is allowed: when the next client is admitted, the end of the previous one is logged or never
        will be."""
        limit = "max_connections = 1\n"
        with Reloading(HEAD + limit + "[log]\nlevel = error\n" + ECHO) as weir:
            RawClient(weir.port, "/echo").vanish()
            client = until(lambda: self.admitted(weir), "the first one is gone")
            weir.write(HEAD + limit + ECHO)
            weir.hang_up()
            client.vanish()
            weir.log_line("event=close", "conn=")
            self.assertEqual(weir.log().count("event=close"), 1)

    def admitted(self, weir):
        client = RawClient(weir.port)
        if status_of(client, "/echo") == 101:
            return client
        return client.vanish()


class Crowd(unittest.TestCase):
    """Many clients talk during all reloads; none is lost, none misses an answer, and memory does not grow."""

    RELOADS = 50

    def configuration(self, number):
        text = HEAD + f"[websocket]\nping_interval = {1 + number % 3}s\nmax_message_size = {1000 + number}\n"
        text += "[route /talk]\nhandler = echo\n"
        for other in range(number % 7):
            text += f"[route /other{other}]\nhandler = {random.choice(['echo', 'broadcast'])}\n"
        if number % 2:
            text += LIGHT % f"{number}ms"
        return text

    async def talk(self, url, stop, answers):
        async with websockets.connect(url, ping_interval=None) as client:
            count = 0
            while not stop.is_set():
                text = f"{count}"
                await client.send(text)
                assert await client.recv() == text
                count += 1
                await asyncio.sleep(random.random())
            answers.append(count)

    async def crowd(self, weir, clients):
        stop, answers, tasks = asyncio.Event(), [], []
        for _ in range(clients):
            tasks.append(asyncio.create_task(self.talk(weir.url("/talk"), stop, answers)))
            await asyncio.sleep(0)
        await asyncio.sleep(1)
        loop = asyncio.get_running_loop()
        for number in range(self.RELOADS):
            if number % 5 == 4:
                line = await loop.run_in_executor(None, weir.reload, HEAD + "[route /talk]\nhandler = broken\n")
                self.assertIn("done=no", line)
            else:
                line = await loop.run_in_executor(None, weir.reload, self.configuration(number))
                self.assertIn("done=yes", line)
        stop.set()
        await asyncio.gather(*tasks)  # raises what any of them raised
        self.assertEqual(len(answers), clients)
        return sum(answers)

    @staticmethod
    async def visit(weir, clients):
        """Lets each thread allocate what it needs once, whatever the number of clients."""
        for client in [await websockets.connect(weir.url("/talk"), ping_interval=None) for _ in range(clients)]:
            await client.close()

    def test_fifty_reloads_lose_no_client_and_no_memory(self):
        clients = scaled(500)
        with Reloading(self.configuration(0)) as weir:
            for number in range(10):  # what is loaded once stays in memory
                weir.reload(self.configuration(number))
            asyncio.run(self.visit(weir, clients))
            before = memory(weir)
            answers = asyncio.run(self.crowd(weir, clients))
            weir.reload(self.configuration(0))
            until(lambda: "retired=0" in weir.hang_up(), "all that was retired is gone")
            if not SANITIZED:
                self.assertLess(memory(weir) - before, clients * 4000 + (2 << 20))
            print(f"\n    {clients} clients, {answers} answers ", end="")


if __name__ == "__main__":
    unittest.main()
