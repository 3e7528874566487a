"""rows - what is measured: each row is one load, run against every server that has its path.

SPDX-License-Identifier: MIT
"""

from typing import NamedTuple

MANY_CLIENTS = 10000  # a server that is slow to connect is left out of rows with so many
SLEEP_WORKERS = 8  # weir's, and the threads of thread_per_client
SLEEP_CLIENTS = 1000
SLEEP_RATE_MAX = 20000  # messages a second, both kinds together


class Row(NamedTuple):
    name: str
    group: str  # a heading of the report, see GROUPS
    title: str
    purpose: str  # the path, as servers.py names it
    clients: int
    kind: str = "load"  # how it is run: see KINDS of measuring.py
    options: tuple = ()  # of weir bench
    size: int = 20  # bytes of a message
    rounds: int = 0  # at most; 0: all
    longer: int = 1  # times the duration: where deliveries come in lots that a second holds few of
    servers: tuple = ()  # names; none: all that have the path
    share: float = 0  # mixed: of the messages that sleep
    sleep: int = 0  # mixed: milliseconds

    @property
    def rate(self):
        """mixed: messages a second of those that sleep, and of the others. Half of the workers are asleep, unless
        that needs more messages than are offered."""
        sleepers = min(SLEEP_WORKERS / 2 / (self.sleep / 1000), SLEEP_RATE_MAX * self.share)
        return sleepers, sleepers / self.share * (1 - self.share)


class Group(NamedTuple):
    name: str
    title: str
    text: str  # what the rows do
    metric: str  # the figure that is compared, see METRICS


class Metric(NamedTuple):
    title: str
    unit: str
    higher_is_better: bool
    digits: int


METRICS = {
    "rate": Metric("messages received per second", "/s", True, 0),
    "connects": Metric("handshakes per second", "/s", True, 0),
    "publishes": Metric("requests answered per second", "/s", True, 0),
    "p99_ms": Metric("99th percentile of the latency", "ms", False, 2),
    "cpu_us": Metric("processor time of the server per message", "µs", False, 2),
    "memory_kb": Metric("resident memory of the server per client", "kB", False, 2),
    "kernel_kb": Metric("the kernel's memory per client, both ends of the connection", "kB", False, 1),
    "idle_cpu": Metric("processor time with 10,000 idle clients, of one core", "%", False, 2),
    "start_ms": Metric("from exec to the first 101", "ms", False, 1),
}

GROUPS = [
    Group("echo", "Echo", "20-byte messages; each client sends the next one when the last has come back (16 in flight: when "
          "one of 16 has). With one client, the result depends heavily on whether the kernel runs both ends on one "
          "processor or wakes another one for each message. It decides that again in each run: hence the wide brackets.",
          "rate"),
    Group("sizes", "Echo of larger messages", "50 clients, one message in flight each. Compressed: JSON, "
          "permessage-deflate without context takeover in both directions.", "rate"),
    Group("broadcast", "Broadcast", "One client sends 20-byte messages, and all receive them, the sender too. It sends the "
          "next one when all clients have received one. Deliveries are counted. The last row has 100 channels of 100 "
          "clients, with a sender in each.", "rate"),
    Group("connect", "Connect storm", "100 clients connect, close, and connect again, as fast as they can.", "connects"),
    Group("publish", "Publish by HTTP", "wrk sends POST requests with 20 bytes over 10 persistent connections, to a channel "
          "with 10 subscribers.", "publishes"),
    Group("mixed", "Handlers that block", f"{SLEEP_CLIENTS:,} clients; some messages make their handler sleep, as it "
          "would for a database or a driver. The figure is the 99th percentile of how long the *other* messages took, "
          "from the time at which each was due to be sent. The rate keeps half of weir's 8 workers asleep, with at most "
          f"{SLEEP_RATE_MAX:,} messages a second of both kinds. A server that falls behind (†) is measured once.",
          "p99_ms"),
    Group("idle", "10,000 idle clients", "What clients cost while they send nothing; the server pings each every 20 s. "
          "All servers hold their clients at the same time.", "memory_kb"),
    Group("start", "Start", "Each server is started, and then tried with handshakes until it answers.", "start_ms"),
    Group("own", "weir alone", "Only weir is measured. Metrics: echo with 100 clients while /metrics is read ten times a "
          "second, compared with the same without an admin listener. Many channels: one client is subscribed to 1,000 "
          "channels by weir.v1; 4 publishers send to them, with 8 messages in flight each.", "rate"),
]


def echo(name, title, clients, *options, **others):
    group, purpose = others.pop("group", "echo"), others.pop("purpose", "echo")
    return Row(name, group, title, purpose, clients, options=options, **others)


def broadcast(clients, window):
    return Row(f"broadcast-{clients}-w{window}", "broadcast", f"{clients:,} clients, {window} in flight", "broadcast",
               clients, options=("--scenario", "broadcast", "--window", str(window)),
               longer=3 if clients * window > MANY_CLIENTS else 1)


def mixed(share, sleep):
    return Row(f"mixed-{share}x{sleep}", "mixed", f"{share} % sleep {sleep} ms", "sleep", SLEEP_CLIENTS, "mixed",
               rounds=3, share=share / 100, sleep=sleep)


ROWS = [
    # All rounds of these come first, before others have left sockets in TIME_WAIT.
    Row("idle", "idle", "10,000 clients", "pings", MANY_CLIENTS, "idle", rounds=3),
    Row("start", "start", "first 101", "echo", 1, "start"),
    *(echo(f"echo-{clients}", f"{clients:,} client{'s' if clients > 1 else ''}", clients)
      for clients in (1, 100, 1000, 10000)),
    echo("window", "100 clients, 16 in flight", 100, "--window", "16"),
    *(echo(f"size-{size}", title, 50, "--size", str(size), group="sizes", size=size)
      for size, title in ((1024, "1 KiB"), (65536, "64 KiB"), (1048576, "1 MiB"))),
    echo("deflate", "1 KiB, compressed", 50, "--compress", "--message-file", "{json}", group="sizes", purpose="deflate",
         size=1024),
    *(broadcast(clients, window) for clients in (100, 1000, 10000) for window in (1, 8)),
    Row("channels", "broadcast", "100 x 100 clients, 1 in flight", "room", 10000,
        options=("--scenario", "broadcast", "--rooms", "100"), longer=3),
    *(mixed(share, sleep) for share in (1, 10) for sleep in (1, 10, 100)),
    Row("publish", "publish", "10 connections", "publish", 10, "publish"),
    Row("metrics", "own", "metrics read", "echo", 100, "metrics", longer=3, servers=("weir", "weir-bare")),
    Row("many", "own", "1 client in 1,000 channels", "channels", 1, "many", servers=("weir",)),
    Row("connect", "connect", "100 clients", "echo", 100, "connect", ("--scenario", "connect")),
]
