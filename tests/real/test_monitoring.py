"""test_monitoring - the alert rules and the dashboard of conf/ and the table of docs/metrics.md agree with the metrics;
with a real Prometheus and a loaded server, each expression has data and the numbers are true.

SPDX-License-Identifier: MIT
"""

import contextlib
import json
import math
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from admin_server import WithAdmin
from plugin_build import compile_plugin
from process_state import MIB, SANITIZED
from prometheus import PROMETHEUS, Prometheus
from raw_client import BINARY, TEXT, RawClient, SmallWindow, frame, request, upgrade_headers
from weir_process import PATIENCE, ROOT, WEIR, until

DASHBOARD = ROOT / "conf/grafana.json"
ALERTS = ROOT / "conf/alerts.yml"
TABLE = ROOT / "docs/metrics.md"
PROMTOOL = shutil.which("promtool")

RATE = 400  # messages a second on /echo
RUN = 20  # seconds
LAMP_SECONDS = 0.02
KEPT = 10  # messages in the history of a room

SERVER = f"""[server]
listen = 127.0.0.1:PORT
workers = 2
[admin]
listen = 127.0.0.1:ADMIN
[websocket]
ping_interval = 1s
max_message_size = 64KiB
send_buffer_soft = 64KiB
send_buffer_hard = 1280KiB
compression = off
[channel room:*]
history = {KEPT}
[route /echo]
handler = echo
[route /room/{{name}}]
handler = relay
channel = room:{{name}}
[route /broadcast]
handler = broadcast
[route /disconnect]
handler = broadcast
echo_self = no
[route /drop]
handler = broadcast
echo_self = no
slow_consumer = drop-oldest
[route /light/{{status}}]
handler = plugin:EXAMPLES/light.so
delay = {LAMP_SECONDS * 1000:.0f}ms
[route /one/{{status}}]
handler = plugin:EXAMPLES/light.so
delay = {LAMP_SECONDS * 1000:.0f}ms
concurrency = 1
"""

CHANNELS = """[server]
listen = 127.0.0.1:PORT
workers = 2
[admin]
listen = 127.0.0.1:ADMIN
[channel_limits]
max_channels = 10
history_memory = 8KiB
[channel kept:*]
history = 100
[route /channels]
handler = pubsub
[route /room/{name}]
handler = relay
channel = room:{name}
"""

# A plug-in that publishes what it receives to the channel `plain`, and answers with the number of receivers.
PUBLISHING = """
#include <stdio.h>
#include <weir/weir.h>

static void published(const struct weir_publish_result *result, void *context) {
    char answer[32];
    int size = snprintf(answer, sizeof answer, "%d", (int)result->receivers);
    weir_conn_send((weir_conn *)context, WEIR_TEXT, answer, (size_t)size);
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    weir_publish(weir_conn_server(conn), "plain", opcode, data, size, published, conn);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .message = message};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "publishing", .handler = &handler};
"""


def documented():
    """{name: (type, labels)} of the table."""
    rows = re.findall(r"^\| `((?:weir|process)_\w+)` \| (\w+) \| ([^|]*)\|", TABLE.read_text(), re.MULTILINE)
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def exposed(text):
    """The same of an answer of /metrics."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels = {name: set() for name in kinds}
    for name, inside in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        labels[family(name, kinds)].update(re.findall(r'(\w+)="', inside))
    return {name: (kind, frozenset(labels[name] - {"le"})) for name, kind in kinds.items()}


def family(name, kinds):
    """A metric's name without the suffix of a histogram's series."""
    base = re.sub("_(bucket|sum|count)$", "", name)
    return base if kinds.get(base) == "histogram" else name


def names_in(text):
    return set(re.findall(r"\b(?:weir|process)_[a-z_]+\b(?=[\[{ )/]|$)", text))


def panels():
    """All panels but the rows."""
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def expressions():
    """(title, expression) of all panels."""
    return [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]


def substituted(text, route=".*"):
    """As Grafana replaces its variables."""
    values = {"$__rate_interval": "10s", "$__range": "1m", "$instance": ".*", "$route": route, "$job": "weir"}
    for name, value in values.items():
        text = text.replace(name, value)
    assert "$" not in text, text
    return text


@unittest.skipUnless(PROMTOOL, "promtool is not installed (apt-get install prometheus)")
class Rules(unittest.TestCase):
    def promtool(self, *arguments):
        done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alert_rules_are_well_formed(self):
        self.promtool("check", "rules", ALERTS)
        self.promtool("check", "config", ROOT / "conf/prometheus.yml")

    def test_alert_rules_fire_when_they_should(self):
        self.promtool("test", "rules", ROOT / "tests/monitoring/alerts_test.yml")


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with WithAdmin(SERVER) as weir:
            cls.exposed = exposed(weir.ask("GET", "/metrics")[2])

    def test_metrics_page_is_complete(self):
        self.assertEqual(documented(), self.exposed)

    def test_rules_and_dashboard_use_existing_metrics(self):
        kinds = {name: kind for name, (kind, _) in self.exposed.items()}
        for what in (ALERTS, DASHBOARD):
            asked = {family(name, kinds) for name in names_in(what.read_text())}
            self.assertGreater(len(asked), 10)
            self.assertEqual(asked - set(kinds), set(), what)

    def test_dashboard_shows_every_metric(self):
        kinds = {name: kind for name, (kind, _) in self.exposed.items()}
        shown = {family(name, kinds) for name in names_in(DASHBOARD.read_text())}
        self.assertEqual(set(kinds) - shown, {"process_virtual_memory_bytes"})


class ChannelClient(RawClient):
    """A client of weir.v1."""

    def __init__(self, port):
        super().__init__(port)
        self.send(request("/channels", upgrade_headers(Sec_WebSocket_Protocol="weir.v1")))
        if (response := self.response()).status != 101:
            raise AssertionError(response)

    def ask(self, kind, expected, **members):
        """Sends a request. Returns the first answer of the expected type; messages before it are skipped."""
        self.send(frame(TEXT, json.dumps({"type": kind, **members}).encode()))
        while True:
            answer = json.loads(self.frame().payload)
            if answer["type"] == expected:
                return answer
            if answer["type"] == "error":
                raise AssertionError(answer)

    def subscribe(self, channel, **members):
        return self.ask("subscribe", "subscribed", channel=channel, **members)


class Channels(unittest.TestCase):
    """The metrics of channels agree with what was done."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(self.folder.cleanup)
        self.configuration = CHANNELS + f"[route /plugin]\nhandler = plugin:{self.plugin()}\n"
        self.weir = WithAdmin(self.configuration)
        self.addCleanup(self.weir.stop)
        self.clients = contextlib.ExitStack()
        self.addCleanup(self.clients.close)  # before the server's: they do not answer a Close

    def plugin(self):
        return compile_plugin("publishing", self.folder.name, text=PUBLISHING)

    def client(self):
        return self.clients.enter_context(ChannelClient(self.weir.port))

    def raw(self, path):
        return self.clients.enter_context(RawClient(self.weir.port, path))

    def post(self, channel, text):
        status, _, answer = self.weir.ask("POST", f"/api/channels/{channel}/messages", {}, text)
        self.assertIn(status, (201, 202), answer)

    def check(self, expected):
        found = self.weir.metrics()
        self.assertEqual({name: found[name] for name in expected}, expected)

    def test_metrics_count_channels_and_subscriptions(self):
        self.check({"weir_channels": 0, "weir_channels_max": 10, "weir_subscriptions": 0})
        ann, bob = self.client(), self.client()
        ann.subscribe("a")
        ann.subscribe("b")
        bob.subscribe("b")
        self.raw("/room/1")
        self.check({"weir_channels": 3, "weir_subscriptions": 4})
        ann.ask("unsubscribe", "unsubscribed", channel="a")
        self.check({"weir_channels": 2, "weir_subscriptions": 3})
        self.clients.close()
        until(lambda: self.weir.metrics()["weir_subscriptions"] == 0, "nobody is subscribed")
        until(lambda: self.weir.metrics()["weir_channels"] == 0, "no channel is left")

    def test_metrics_count_publishes_by_source(self):
        ann, room, plugin = self.client(), self.raw("/room/1"), self.raw("/plugin")
        ann.subscribe("plain")
        self.client().subscribe("plain")
        for _ in range(3):
            ann.ask("publish", "published", channel="plain", data=1)
        room.send(frame(BINARY, b"one"))
        self.assertEqual(room.frame().payload, b"one")
        plugin.send(frame(TEXT, b"two"))
        self.assertEqual(plugin.frame().payload, b"2")
        self.post("plain", "three")
        self.post("nobody", "four")
        # The room's message came before it was counted.
        until(lambda: self.weir.metrics()["weir_broadcast_receivers_sum"] == 3 * 2 + 1 + 2 + 2, "all are counted")
        expected = {
            "weir_broadcast_receivers_count": 7,
            'weir_publishes_total{source="client"}': 4,
            'weir_publishes_total{source="handler"}': 1,
            'weir_publishes_total{source="api"}': 2,
        }
        self.check(expected)

    def test_metrics_count_history_and_evictions(self):
        expected = {
            "weir_history_messages": 0,
            "weir_history_bytes": 0,
            "weir_history_limit_bytes": 8192,
            "weir_history_evicted_total": 0,
        }
        self.check(expected)
        for i in range(5):
            self.post("kept:a", f"message {i}")
        self.post("plain", "forgotten at once")
        self.check({"weir_channels": 1, "weir_history_messages": 5, "weir_history_evicted_total": 0})
        self.assertGreater(self.weir.metrics()["weir_history_bytes"], 5 * len("message 0"))
        for i in range(50):
            self.post("kept:b", "x" * 500)
        found = self.weir.metrics()
        self.assertEqual(found["weir_history_messages"] + found["weir_history_evicted_total"], 55)
        self.assertTrue(8192 - 2 * 500 < found["weir_history_bytes"] <= 8192, found["weir_history_bytes"])
        self.assertEqual(self.weir.ask("DELETE", "/api/channels/kept:b")[0] // 100, 2)
        self.check({"weir_history_messages": 5})  # of kept:a: a channel displaces only its own history
        self.assertEqual(self.weir.ask("DELETE", "/api/channels/kept:a")[0] // 100, 2)
        self.check({"weir_history_messages": 0, "weir_history_bytes": 0})

    def test_metrics_count_recoveries_by_result(self):
        for i in range(5):
            self.post("kept:a", f"message {i}")
        epoch = self.client().subscribe("kept:a")["epoch"]
        expected = {
            'weir_recoveries_total{result="complete"}': 0,
            'weir_recoveries_total{result="incomplete"}': 0,
        }
        self.check(expected)
        for since, of, recovered in ((2, epoch, True), (5, epoch, True), (0, epoch, True), (77, epoch, False),
                                     (2, "another", False)):  # fmt: skip
            self.assertEqual(self.client().subscribe("kept:a", since=since, epoch=of)["recovered"], recovered)
        expected = {
            'weir_recoveries_total{result="complete"}': 3,
            'weir_recoveries_total{result="incomplete"}': 2,
        }
        self.check(expected)

    def test_metrics_show_limits_after_a_reload(self):
        self.post("kept:a", "remembered")
        line = self.weir.reload(self.configuration.replace("= 10", "= 20").replace("8KiB", "0"))
        self.assertIn("done=yes", line)
        expected = {
            "weir_channels_max": 20,
            "weir_history_limit_bytes": 0,
            "weir_history_messages": 0,
            "weir_history_evicted_total": 1,
        }
        self.check(expected)


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.dashboard = json.loads(DASHBOARD.read_text())

    def test_dashboard_has_its_title_and_variables(self):
        self.assertEqual((self.dashboard["title"], self.dashboard["uid"]), ("weir", "weir"))
        variables = {variable["name"]: variable["type"] for variable in self.dashboard["templating"]["list"]}
        expected = {"DS_PROMETHEUS": "datasource", "job": "query", "instance": "query", "route": "query"}
        self.assertEqual(variables, expected)

    def test_panels_have_title_description_and_unit(self):
        for panel in panels():
            with self.subTest(panel.get("title")):
                self.assertTrue(panel["title"] and panel["description"] and panel["targets"])
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                letters = [target["refId"] for target in panel["targets"]]
                self.assertEqual(len(letters), len(set(letters)))
                for part in (panel, *panel["targets"]):
                    self.assertEqual(part["datasource"], {"type": "prometheus", "uid": "${DS_PROMETHEUS}"})

    def test_every_expression_selects_job_and_instance(self):
        for title, expression in expressions():
            with self.subTest(title):
                for selector in re.findall(r"(?:\bup|(?:weir|process)_\w+)(\{[^}]*\})?", expression):
                    self.assertIn('job=~"$job", instance=~"$instance"', selector)

    def test_panels_have_distinct_ids_and_do_not_overlap(self):
        numbers = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))
        taken = {}
        for panel in self.dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertIsNone(taken.setdefault((x, y), None), f"{panel['title']} lies on another one")
                    taken[x, y] = panel["title"]


class Load:
    """Causes everything that a server can count, for RUN seconds, while Prometheus scrapes."""

    def __init__(self, weir, folder):
        self.weir, self.folder = weir, folder

    def bench(self, name, *arguments):
        options = ["--quiet", "--warmup", "1s", "--duration", f"{RUN - 1}s", "--json", self.folder / name]
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", WEIR, "bench", *map(str, [*options, *arguments])],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self):
        """Returns the result of the run with a fixed rate."""
        url = self.weir.url
        # Lamps do not echo, which is an error for `weir bench`: its status does not count.
        others = [
            self.bench("broadcast", "--scenario", "broadcast", "--clients", 15, "--rate", 20, url("/broadcast")),
            self.bench("room", "--scenario", "broadcast", "--clients", 5, "--rate", 20, url("/room/1")),
            self.bench("light", "--clients", 4, url("/light/on")),
            self.bench("one", "--clients", 8, url("/one/on")),
            self.bench("connect", "--scenario", "connect", "--ramp", 20, url("/drop")),
        ]
        steady = self.bench("steady", "--scenario", "rate", "--rate", RATE, "--clients", 10, url("/echo"))
        try:
            self.make_trouble()
        finally:
            statuses = [process.wait(RUN + PATIENCE) for process in (steady, *others)]
        if statuses[0] != 0:
            raise AssertionError(f"weir bench ended with status {statuses[0]}")
        return json.loads((self.folder / "steady").read_text())

    def make_trouble(self):
        time.sleep(RUN / 4)
        with RawClient(self.weir.port) as client:
            client.send(request("/echo", upgrade_headers(Origin="https://example.org")))
            if client.response().status != 403:
                raise AssertionError("the origin is not refused")
        self.weir.reload(SERVER)
        self.weir.reload(SERVER.replace("workers = 2", "workers = many"))
        self.read_nothing("/disconnect", 'weir_slow_consumers_total{action="disconnected"}')
        self.read_nothing("/drop", "weir_messages_dropped_total")

    def read_nothing(self, path, counter):
        """One client sends to another that does not read, until the server counts it."""
        with SmallWindow(self.weir.port, path), RawClient(self.weir.port, path) as publisher:

            def sent_too_much():
                publisher.send(frame(BINARY, bytes(60000)) * 10)
                return self.weir.metrics()[counter] > 0

            until(sent_too_much, counter)


@unittest.skipUnless(PROMETHEUS.exists(), "Prometheus is not installed (apt-get install prometheus)")
@unittest.skipIf(SANITIZED, "what metrics mean does not depend on a sanitizer")
class Watched(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="weir-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.weir = WithAdmin(SERVER)
        cls.addClassCleanup(cls.weir.stop)
        cls.prometheus = Prometheus(f"127.0.0.1:{cls.weir.admin_port}")
        cls.addClassCleanup(cls.prometheus.stop)
        cls.result = Load(cls.weir, Path(folder.name)).run()
        cls.room = json.loads((Path(folder.name) / "room").read_text())
        measured = [i for i, interval in enumerate(cls.result["intervals"]) if interval["measuring"]]
        began = cls.result["began_unix_seconds"]
        cls.start, cls.end = began + measured[0], began + measured[-1] + 1

    def query(self, expression):
        """At the end of the load."""
        return self.prometheus.query(expression, self.end)

    def number(self, expression):
        return self.prometheus.number(expression, self.end)

    def test_every_expression_of_the_dashboard_has_data(self):
        for title, expression in expressions():
            with self.subTest(title):
                found = self.query(substituted(expression))
                self.assertTrue(any(math.isfinite(value) for _, value in found), f"{expression}: {found}")

    def test_every_expression_has_data_for_chosen_routes(self):
        # Two routes, as Grafana writes them.
        routes = r"(/echo|/light/\\{status\\})"
        for title, expression in expressions():
            if "$route" in expression:
                with self.subTest(title):
                    found = self.query(substituted(expression, routes))
                    self.assertTrue(found, expression)
                    named = {labels["route"] for labels, _ in found if "route" in labels}
                    self.assertLessEqual(named, {"/echo", "/light/{status}"})
                    self.assertTrue(not named or "/light/{status}" in named, found)

    def test_dashboard_variables_have_values(self):
        for variable in json.loads(DASHBOARD.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
                self.assertEqual(variable["query"]["query"], variable["definition"])
                found = self.query(substituted(selector))
                self.assertTrue(found and all(label in labels for labels, _ in found), variable["definition"])

    def test_dashboard_annotations_mark_reloads(self):
        annotations = json.loads(DASHBOARD.read_text())["annotations"]["list"]
        marks = {mark["name"]: mark["expr"] for mark in annotations if "expr" in mark}
        self.assertEqual(self.query(substituted(marks["Starts"])), [])
        found = {labels["result"] for labels, _ in self.query(substituted(marks["Reloads"]))}
        self.assertEqual(found, {"done", "refused"})

    def test_events_of_the_load_are_counted(self):
        happened = (
            'weir_connections_refused_total{reason="origin"}',
            'weir_reloads_total{result="refused"}',
            'weir_reloads_total{result="done"}',
            'weir_slow_consumers_total{action="disconnected"}',
            'weir_connections_closed_total{code="1013"}',
            "weir_messages_dropped_total",
            'weir_publishes_total{source="client"}',
        )
        for counter in happened:
            with self.subTest(counter):
                self.assertGreater(self.number(f"increase({counter}[1m])"), 0)
        for gauge in ("weir_workers_busy == weir_workers", 'weir_queue_tasks{queue="handler"}',
                      'weir_handlers_waiting{route="/one/{status}"}'):  # fmt: skip
            with self.subTest(gauge):
                self.assertGreater(self.number(f"max_over_time(({gauge})[{RUN // 2}s:1s])"), 0)

    def test_alert_rules_are_healthy_and_fire(self):
        groups = self.prometheus.ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertGreater(len(rules), 10)
        for rule in rules:
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])
        firing = {labels["alertname"] for labels, _ in self.query('ALERTS{alertstate="firing"}')}
        self.assertEqual(firing, {"WeirReloadRefused"})
        noticed = self.query(f"max_over_time(ALERTS[{RUN // 2}s])")
        self.assertIn("WeirHandlersSaturated", {labels["alertname"] for labels, _ in noticed})

    def test_message_counts_agree_with_the_load_tester(self):
        counter = 'weir_messages_received_total{route="/echo"}'
        sent = sum(interval["sent"] for interval in self.result["intervals"])
        self.assertEqual(self.weir.metrics()[counter], sent)
        self.assertEqual(self.weir.metrics()[counter.replace("received", "sent")], sent)
        said = self.result["messages"]["sent_per_second"]
        self.assertAlmostEqual(said, RATE, delta=RATE / 20)
        self.assertAlmostEqual(self.number(f"rate({counter}[{self.end - self.start}s])"), said, delta=said / 20)
        # One scrape of a busy machine may be late, most are not.
        rates = self.prometheus.values(f"rate({counter}[10s])", self.start + 10, self.end)
        self.assertAlmostEqual(statistics.median(rates), said, delta=said / 20)

    def test_duration_percentiles_are_plausible(self):
        def quantile(p, name, labels=""):
            return self.number(f"histogram_quantile({p}, rate({name}_bucket{labels}[10s]))")

        for name in ("weir_round_trip_seconds", "weir_handshake_duration_seconds"):
            p50, p99 = quantile(0.5, name), quantile(0.99, name)
            self.assertTrue(0 < p50 <= p99 <= 10 and p50 < 1, (name, p50, p99))
        name, lamp = "weir_handler_duration_seconds", '{route="/light/{status}"}'
        mean = self.number(f"rate({name}_sum{lamp}[10s]) / rate({name}_count{lamp}[10s])")
        self.assertTrue(LAMP_SECONDS <= mean < 50 * LAMP_SECONDS, mean)
        p50 = quantile(0.5, name, lamp)
        self.assertTrue(LAMP_SECONDS / 2 <= p50 < 50 * LAMP_SECONDS, p50)

    def test_metrics_show_the_configured_limits(self):
        self.assertEqual(self.number("weir_message_memory_limit_bytes"), 1024 * MIB)
        self.assertEqual(self.number("weir_workers"), 2)
        self.assertEqual(self.number("weir_history_limit_bytes"), 64 * MIB)

    def test_metrics_count_a_room(self):
        for gauge, value in (("weir_channels", 1), ("weir_subscriptions", 5), ("weir_history_messages", KEPT)):
            with self.subTest(gauge):
                self.assertEqual(self.number(f"max_over_time({gauge}[{RUN // 2}s])"), value)
        sent = sum(interval["sent"] for interval in self.room["intervals"])
        self.assertGreater(sent, 0)
        self.assertEqual(self.weir.metrics()['weir_publishes_total{source="client"}'], sent)

    def test_metrics_show_one_start(self):
        self.assertEqual(self.number("changes(process_start_time_seconds[1m])"), 0)


if __name__ == "__main__":
    unittest.main()
