"""test_ghosts - many clients join and leave channels at random, in every way, while they publish. Whenever they rest,
the server's view of them is checked: subscribers and presence of each channel by weir.v1 and by HTTP, connections,
metrics. When they have gone, nothing is left, and memory does not grow with the number of joins.

The clients are ghosts.c, which describes what they check themselves. WEIR_GHOSTS=60 runs 1,000 of them for 60 seconds.

SPDX-License-Identifier: MIT
"""

import collections
import json
import os
import random
import unittest
from urllib.parse import quote

import swarm
from process_state import SANITIZED, memory, settled_descriptors, threads
from weir_process import scaled, until

FULL = float(os.environ.get("WEIR_GHOSTS", "0"))
CLIENTS = 1000 if FULL else scaled(200, least=40)
CHANNELS = 100 if FULL else scaled(100, least=20)
PARTS = 3  # of a half; they rest after each
PART_SECONDS = FULL / 2 / PARTS if FULL else 0.6
SUBSCRIPTION = 64  # bytes: less than any subscription takes
SLACK = 1 << 20
REST_OF_ALL = 32 << 20  # what an allocator may keep of the largest amount in use
CONFIGURATION = """[channel *]
presence = yes
[channel loud:*]
presence = yes
announce = yes
[channel past:*]
presence = yes
history = 10
history_age = 1s
position_ttl = 1s
[route /path/*]
handler = relay
channel = {*}
"""


class Ghosts:
    """The client program, which is controlled over its standard input."""

    def __init__(self, port):
        self.arguments = [port, CLIENTS, CHANNELS, random.randrange(1 << 30)]
        self.process = swarm.start("ghosts", *self.arguments)

    def order(self, text):
        """Returns the lines of the answer, each as its first word and the rest."""
        print(text, file=self.process.stdin, flush=True)
        lines = []
        while (line := self.process.stdout.readline()) != "done\n":
            if line == "":
                raise AssertionError(f"ghosts {self.arguments}: {''.join(lines[-20:])}status {self.process.wait()}")
            lines.append(line)
        return [line.rstrip("\n").partition(" ")[::2] for line in lines]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None:
            self.process.kill()
        output, _ = self.process.communicate()
        if kind is None and self.process.returncode != 0:
            raise AssertionError(f"ghosts {self.arguments}: {output}status {self.process.returncode}")


class Truth:
    """The subscriptions of the clients as they know them, by their ports."""

    def __init__(self, lines):
        clients = [rest.split() for word, rest in lines if word == "client"]
        self.ports = {int(port) for port, *_ in clients}
        self.members = collections.defaultdict(set)
        for port, *names in clients:
            for name in names:
                self.members[name].add(int(port))
        self.subscriptions = sum(map(len, self.members.values()))


class Asked:
    """The server's view at this moment."""

    def __init__(self, weir):
        self.weir = weir
        connections, self.connections_count = self.all("/api/connections", "connections")
        channels, self.channels_count = self.all("/api/channels", "channels")
        self.ports = {connection["id"]: int(connection["peer"].rpartition(":")[2]) for connection in connections}
        self.channels = {channel["name"]: channel for channel in channels}
        self.metrics = weir.metrics()

    def get(self, path):
        status, _, text = self.weir.ask("GET", path)
        return json.loads(text) if status == 200 else None

    def all(self, path, what):
        """All pages of a list, and the total that the last page gives."""
        page = self.get(f"{path}?limit=1000")
        things = page[what]
        while "next" in page:
            page = self.get(f"{path}?limit=1000&cursor={page['next']}")
            things += page[what]
        return things, page["count"]

    def presence(self, name):
        """The count, and the ports."""
        answer = self.get(f"/api/channels/{quote(name, safe='')}/presence?limit=1000")
        return (answer["count"], self.who(answer)) if answer else (0, set())

    def who(self, answer):
        return {self.ports.get(client["connection"], client["connection"]) for client in answer["clients"]}

    def differences(self, truth):
        """The differences from the truth, as text."""
        there = {name: channel["subscribers"] for name, channel in self.channels.items() if channel["subscribers"]}
        others = [name for name in self.channels if name not in there and not name.startswith("past:")]
        figures = [
            ("connections", set(self.ports.values()), truth.ports),
            ("count of connections", self.connections_count, len(truth.ports)),
            ("weir_connections", self.metrics["weir_connections"], len(truth.ports)),
            ("subscribers", there, {name: len(ports) for name, ports in truth.members.items()}),
            ("channels without anything", others, []),
            ("count of channels", self.channels_count, len(self.channels)),
            ("weir_channels", self.metrics["weir_channels"], len(self.channels)),
            ("weir_subscriptions", self.metrics["weir_subscriptions"], truth.subscriptions),
            *((f"presence of {name}", self.presence(name), (len(ports), ports))
              for name, ports in truth.members.items()),
        ]
        return [f"{what}: {found}, expected {expected}" for what, found, expected in figures if found != expected]


class NoGhosts(unittest.TestCase):
    def agree(self, weir, truth):
        """Waits until the server's view is the truth, and returns it: the server learns of a reset a moment later."""
        differences = []

        def compare():
            asked = Asked(weir)
            differences[:] = asked.differences(truth)
            return None if differences else asked

        try:
            return until(compare, "the server knows the truth")
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(line[:1000] for line in differences[:20])) from None

    def look(self, ghosts, truth, asked):
        """By weir.v1, which lists a hundred."""
        heard = [rest.split(" ", 1) for word, rest in ghosts.order("look") if word == "presence"]
        self.assertGreater(len(heard), 0)
        for name, text in heard:
            answer, members = json.loads(text), truth.members[name]
            self.assertEqual((answer["count"], len(answer["clients"])), (len(members), min(len(members), 100)), name)
            self.assertLessEqual(asked.who(answer), members, name)

    def half(self, weir, ghosts):
        """The clients churn and rest several times, then leave. Returns how often each thing happened."""
        for _ in range(PARTS):
            truth = Truth(ghosts.order(f"churn {PART_SECONDS * 1000:.0f}"))
            self.assertGreater(truth.subscriptions, 0)
            asked = self.agree(weir, truth)
            self.look(ghosts, truth, asked)
            self.most = max(self.most, truth.subscriptions)
        totals = json.loads(dict(ghosts.order("leave"))["totals"])
        asked = self.agree(weir, Truth([]))
        until(lambda: weir.metrics()["weir_channels"] == 0, "the channels that remembered something are forgotten")
        for name in totals.keys() - {"refused"}:
            self.assertGreater(totals[name], 0, f"{name}: this proves nothing")
        return collections.Counter(totals)

    def test_server_agrees_with_its_clients_and_leaves_nothing(self):
        self.most = 0
        with swarm.server(CONFIGURATION) as weir, Ghosts(weir.port) as ghosts:
            descriptors, threads_before = settled_descriptors(weir), threads(weir)
            sizes = [memory(weir)]
            first = self.half(weir, ghosts)
            sizes.append(memory(weir))
            second = self.half(weir, ghosts)
            sizes.append(memory(weir))
            self.assertEqual(weir.metrics()["weir_history_bytes"], 0)
            until(lambda: weir.descriptors() <= descriptors, "the descriptors are closed")
            self.assertEqual(threads(weir), threads_before)
        print(f"\n    {CLIENTS} clients, {self.most} subscriptions at once, {dict(first + second)}")
        joins = second["joined"] + second["by_path"]
        kibibytes = [size // 1024 for size in sizes]
        print(f"    memory before, after each half: {kibibytes} KiB, {joins} joins", end=" ", flush=True)
        if not SANITIZED:
            self.assertLess(sizes[2] - sizes[1], max(SLACK, joins * SUBSCRIPTION // 2))
            self.assertLess(sizes[2] - sizes[0], REST_OF_ALL)


if __name__ == "__main__":
    unittest.main()
