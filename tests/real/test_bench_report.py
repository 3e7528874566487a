"""test_bench_report - the page of `weir bench --html` in a real browser: nothing overlaps or overflows, and no text
from outside becomes markup, on narrow and wide screens, light and dark. The axes and numbers of its script are right.

Needs Debian's package chromium. It is large, so `make deps` does not install it; without it these tests are skipped.

SPDX-License-Identifier: MIT
"""

import asyncio
import html
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from chromium import PROGRAM as CHROMIUM
from chromium import Chromium, needs_chromium
from weir_process import PATIENCE, WeirTestCase, run_weir

WIDTHS = [400, 760, 1000, 1240, 1600]
CAUSES = ["no_error", "bad_argument", "no_tls", "unknown_host", "refused", "unreachable", "timed_out", "http", "handshake",
          "lost", "protocol", "too_big", "no_memory"]
NASTY = "HTTP 403: <script>document.title='taken over'</script> <b>&amp; \"quoted\" 'too'"

# Runs in a copy of the page and passes its findings to the page that contains the copy.
PROBE = """
<script>
addEventListener("load", () => {
  const found = [], box = element => element.getBoundingClientRect();
  const cross = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const name = element => `${element.className} "${element.textContent.slice(0, 60)}"`;
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push(`the page is wider than ${width}`);
  for (const card of document.querySelectorAll(".card, .tile")) {
    const labels = [...card.querySelectorAll("b, h3, .key, caption, td, th, span, small")].filter(e => box(e).width > 0);
    for (const label of labels) {
      if (parseFloat(getComputedStyle(label).fontSize) < 11) found.push(`${name(label)} is too small to read`);
      if (label.scrollWidth > label.clientWidth + 1 && getComputedStyle(label).display != "inline")
        found.push(`${name(label)} is wider than its place`);
      const inner = box(label), outer = box(card);
      if (inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom)
        found.push(`${name(label)} sticks out`);
      for (const other of labels)
        if (label !== other && label.compareDocumentPosition(other) === Node.DOCUMENT_POSITION_FOLLOWING &&
            cross(inner, box(other))) found.push(`${name(label)} overlaps ${name(other)}`);
    }
  }
  for (const path of document.querySelectorAll("path"))
    if (/[^-MLHVZh0-9. ]/.test(path.getAttribute("d"))) found.push(`a path is ${path.getAttribute("d").slice(0, 80)}`);
  for (const drawing of document.querySelectorAll("svg"))
    if (drawing.getAttribute("role") != "img" || !drawing.getAttribute("aria-label")) found.push("a chart has no description");
  for (const wrong of document.body.innerText.match(/\\b(NaN|undefined|null|Infinity)\\b| us$/gm) || []) found.push(`the page says ${wrong}`);
  const report = {
    found, width, figures: document.querySelectorAll("figure").length, scripts: document.scripts.length,
    title: document.title, text: document.body.innerText, requests: performance.getEntriesByType("resource").length,
    background: getComputedStyle(document.body).backgroundColor,
  };
  parent.document.getElementById("probe").append(JSON.stringify(report) + "\\n");
});
</script>
"""


def histogram(buckets):
    """{bucket: count} as the JSON has it."""

    def low(bucket):
        shift = bucket // 128 - 1
        return bucket if bucket < 128 else (bucket - shift * 128) << shift

    count = sum(buckets.values())
    ends = (min(buckets), max(buckets)) if buckets else (0, 0)
    return {
        "count": count, "minimum_seconds": low(ends[0]) / 1e9, "maximum_seconds": low(ends[1]) / 1e9,
        "sum_nanoseconds": float(sum(low(bucket) * number for bucket, number in buckets.items())),
        "buckets": [[bucket, number] for bucket, number in sorted(buckets.items())],
    }


def interval(second, **changes):
    return {
        "sent": 100000, "received": 100000 + second % 7 * 3000, "sent_bytes": 2000000, "received_bytes": 2000000,
        "connected": 0, "failed": 0, "dropped": 0, "open": 1000, "p50_seconds": 312e-6, "p99_seconds": 735e-6,
        "maximum_seconds": (5 + second % 3) * 1e-3, "measuring": second > 2, **changes,
    }


def result(scenario="echo", clients=1000, seconds=30, latency=None, handshake=None):
    latency = {1600 + i: 100 * (200 - i) for i in range(200)} if latency is None else latency
    handshake = {1800 + i: 10 for i in range(100)} if handshake is None else handshake
    received = sum(latency.values())
    return {
        "format": 1, "began_unix_seconds": 1795275123, "measured_seconds": 27.0,
        "settings": {
            "scenario": scenario, "expect": "echo", "url": "ws://127.0.0.1:9000/echo", "clients": clients, "rooms": 1, "publishers": 10,
            "window": 1, "threads": 2, "processes": 1, "rate_per_second": 50000 if scenario == "rate" else 0, "ramp_per_second": 0,
            "duration_seconds": 27, "warmup_seconds": 3, "size_min_bytes": 20, "size_max_bytes": 20, "text": False,
            "compress": False,
        },
        "host": {"name": "somewhere", "system": "Linux", "processor": "a processor", "processors": 2,
                 "memory_bytes": 8 << 30},
        "tester": {"cpu_seconds": 30.0, "busiest_thread_share": 0.5, "resident_bytes": 34000000},
        "connections": {"connected": clients, "failed": 0, "dropped": 0, "connect_seconds": 0.4, "first_error": "",
                        "failures": dict.fromkeys(CAUSES, 0)},
        "messages": {"sent": received, "received": received, "sent_bytes": 20 * received, "received_bytes": 20 * received,
                     "missing": 0, "out_of_order": 0, "unexpected": 0, "wrong": 0, "late": 0},
        "latency": histogram(latency), "handshake": histogram(handshake),
        "intervals": [interval(second) for second in range(seconds)],
    }


def everything_failed():
    bad = result()
    bad["settings"]["url"] = "ws://[::1]:9000/<i>&\"'" + "a/very/long/path%20" * 150
    bad["tester"]["busiest_thread_share"] = 0.99
    bad["connections"].update(failed=123456789012, dropped=98765432101, first_error=NASTY,
                              failures=dict.fromkeys(CAUSES, 1234567890123))
    bad["messages"].update(missing=123456789012, wrong=123456789012, sent=10**15, received=10**15, sent_bytes=10**17,
                           received_bytes=10**17)
    bad["host"].update(name="h" * 64, system="a system with a long name " * 6, processor="x" * 127)
    return bad


def stall():
    slow = result("rate", latency={1600: 1000000, 3200: 1000, 3800: 9000})
    slow["intervals"][10] = interval(10, received=0, p50_seconds=0, p99_seconds=0, maximum_seconds=0)
    slow["intervals"][11] = interval(11, received=200000, p50_seconds=0.5, p99_seconds=1.0, maximum_seconds=1.05)
    return slow


def extremes():
    """The results of the unit test report_handles_empty_and_extreme_results."""
    for index, count in enumerate([0, 1] * 4):
        values = full(index // 2 == 3 and 20 or count)
        if index // 2 == 0:
            values["latency"] = histogram({})
        if index // 2 == 1:
            values["latency"] = histogram({0: 1})
        if index // 2 == 2:
            values["latency"] = histogram({4607: 1})
            values["latency"].update(minimum_seconds=99999.0, maximum_seconds=99999.0)
            values["settings"].update(scenario="", clients=0)
            values["tester"].update(busiest_thread_share=1e300)
            values.update(measured_seconds=0, began_unix_seconds=0)
        if index // 2 == 3:
            values["settings"]["url"] = values["host"]["name"] = ""
            values["intervals"] = [interval(0, **dict.fromkeys(interval(0), 0) | {"measuring": False})] * 20
        yield f"extreme {index}", values


def full(seconds):
    values = result(seconds=seconds)
    values["connections"].update(failed=3, dropped=2, first_error=NASTY, failures=dict.fromkeys(CAUSES, 1000000))
    return values


def rooms():
    values = result("broadcast")
    values["settings"]["rooms"] = 5
    values["messages"]["unexpected"] = 4
    return values


def nobody():
    none = result(seconds=0, latency={}, handshake={})
    none["connections"].update(connected=0, failed=1000, first_error="ws://127.0.0.1:9000/echo: connection refused")
    return none


# A name, the result, and how many drawings its page has.
RESULTS = {
    "echo": (result(), 5),
    "idle": (result("idle", clients=10000, latency={}), 5),
    "connect": (result("connect", latency={}), 5),
    "broadcast": (result("broadcast"), 5),
    "one second": (result(seconds=1), 5),
    "three hours": (result("rate", seconds=10800), 5),
    "one message": (result(clients=1, seconds=1, latency={1700: 1}, handshake={1800: 1}), 5),
    "latency of 0": (result(latency={0: 1000}), 3),
    "from nothing to an hour": (result(latency={0: 500, 1: 499, 4607: 1}), 5),
    "everything failed": (everything_failed(), 5),
    "stall": (stall(), 5),
    "nobody": (nobody(), 0),
}


# What the page's script writes: as in the unit test report_formats_numbers_for_people, with the micro sign.
NUMBERS = [
    ("duration", "0", "0 s"), ("duration", "-1", "0 s"), ("duration", "NaN", "0 s"), ("duration", "Infinity", "0 s"),
    ("duration", "1", "1 ns"), ("duration", "999", "999 ns"), ("duration", "999.6", "1 \u00b5s"), ("duration", "41230", "41.2 \u00b5s"),
    ("duration", "412000", "412 \u00b5s"), ("duration", "999499", "999 \u00b5s"), ("duration", "999500", "1 ms"),
    ("duration", "3100000", "3.1 ms"), ("duration", "3124000", "3.12 ms"), ("duration", "9996000", "10 ms"),
    ("duration", "2500000000", "2.5 s"), ("duration", "120e9", "120 s"), ("duration", "3600e9", "3,600 s"),
    ("number", "0", "0"), ("number", "NaN", "0"), ("number", "0.5", "0.5"), ("number", "7", "7"), ("number", "12.345", "12.3"),
    ("number", "99.96", "100"), ("number", "999", "999"), ("number", "1000", "1,000"), ("number", "1234567", "1,234,567"),
    ("number", "123456789012", "123,456,789,012"), ("number", "1e18", "1,000,000,000,000,000,000"), ("number", "1e300", "very many"),
    ("bytes", "0", "0 B"), ("bytes", "20", "20 B"), ("bytes", "1000", "1 kB"), ("bytes", "12345678", "12.3 MB"),
    ("bytes", "5e20", "500,000 PB"), ("bytes", "5e300", "very many PB"),
]

# Returns what is wrong with the axes of the page's script.
AXES = """(() => {
  const wrong = [], {max, ceil, log10} = Math;
  const expect = (truth, ...what) => { if (!truth && wrong.length < 10) wrong.push(what.join(" ")); };
  const check = (axis, lowest, highest, what) => {
    expect(axis.low < axis.high && axis.low <= lowest && axis.high >= highest && axis.ticks.length >= 1, what, "has bad bounds", lowest, highest);
    expect(axis.ticks.length <= 16, what, "has too many ticks", lowest, highest);
    axis.ticks.forEach((tick, i) => {
      const at = place(axis, tick.value), before = i > 0 ? axis.ticks[i - 1] : null;
      expect(at >= 0 && at <= 1, what, "has a tick outside", tick.label);
      expect(!before || at > place(axis, before.value), what, "is not in order", tick.label);
      expect(tick.label != "" && (!before || tick.label != before.label), what, "has a bad label", tick.label);
    });
  };
  for (let highest = 1e-3; highest < 1e15; highest *= 1.37) {
    check(countAxis(highest), 0, highest, "counts");
    check(timeAxis(ceil(highest)), 0, ceil(highest), "time");
    expect(timeAxis(ceil(highest)).high == ceil(highest), "time does not end with the run", highest);
    for (let ratio = 1; ratio < 1e9; ratio *= 7)
      check(durationAxis(max(highest / ratio, 1), max(highest, 1), ratio > 100), max(highest / ratio, 1), max(highest, 1), "durations");
    check(percentileAxis(highest), 0, 1, "percentiles");
  }
  for (let share = 0.001; share <= 1; share *= 1.1) {
    check(shareAxis(share), 0, share, "shares");
    expect(shareAxis(share).high <= 1 + 1e-9, "shares above 1");
  }
  check(countAxis(0), 0, 1, "no counts");
  expect(place(durationAxis(0, 0, true), 0) == 0, "0 is not at 0");
  return wrong;
})()"""


def look(page, widths, dark=False):
    """Opens a page in frames of these widths (a window cannot be that narrow). Returns the findings of the probe by
    width."""
    copy = html.escape(page.read_text().replace("</body>", PROBE + "</body>"))
    frames = "".join(f'<iframe style="width:{width}px;height:3000px;border:0" srcdoc="{copy}"></iframe>' for width in widths)
    with tempfile.TemporaryDirectory(prefix="weir-test-") as directory:
        around = Path(directory) / "around.html"
        around.write_text(f'<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
                          f'<pre id="probe"></pre>{frames}')
        done = subprocess.run(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={directory}/profile", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
             "--window-size=1700,1000", "--dump-dom", around.as_uri()],
            capture_output=True, text=True, timeout=4 * PATIENCE,
        )
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    reports = [json.loads(line) for line in html.unescape(found.group(1)).splitlines()] if found else []
    if sorted(report["width"] for report in reports) != sorted(widths):
        raise AssertionError(f"the browser did not show the page\n{done.stdout[:2000]}\n{done.stderr[-2000:]}")
    return {report["width"]: report for report in reports}


@needs_chromium
class BenchPage(WeirTestCase):
    configuration = "[server]\nlisten = 127.0.0.1:PORT\n[route /echo]\nhandler = echo\n"

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(directory.cleanup)
        self.json, self.html = Path(directory.name) / "result.json", Path(directory.name) / "page.html"

    def draw(self, values, *options):
        self.json.write_text(json.dumps(values))
        done = run_weir("bench", "--merge", self.json, "--html", self.html, *options)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_page_of_every_kind_of_result_fits_every_width(self):
        for name, (values, figures) in RESULTS.items():
            self.draw(values)
            for width, seen in look(self.html, WIDTHS).items():
                with self.subTest(result=name, width=width):
                    self.assertEqual(seen["found"], [])
                    self.assertEqual(seen["figures"], figures)
                    self.assertEqual(seen["scripts"], 3)  # the data, the page's and ours
                    self.assertEqual(seen["requests"], 0)
                    self.assertNotIn("taken over", seen["title"])

    def test_page_of_extreme_results_is_complete(self):
        for name, values in extremes():
            self.draw(values)
            seen = look(self.html, [1240])[1240]
            with self.subTest(result=name):
                self.assertEqual(seen["found"], [])
                self.assertIn("Made by weir bench", seen["text"])

    def test_page_has_the_json_of_the_run(self):
        for values in (result(), everything_failed()):
            self.draw(values, "--json", self.json)
            data = re.search(r'<script type="application/json" id="data">(.*?)</script>', self.html.read_text(), re.DOTALL)
            self.assertEqual(json.loads(data.group(1))["runs"], [{"name": "", "result": json.loads(self.json.read_text())}])
            self.assertNotRegex(data.group(1), "[<>&]")

    def test_two_runs_are_shown_side_by_side(self):
        """Both runs' figures and their ratio, in tables, charts and on stdout; no file's name becomes markup."""
        for scenario in ("echo", "broadcast", "rate", "idle", "connect"):
            latency = {} if scenario in ("idle", "connect") else None
            first, second = result(scenario, latency=latency), result(scenario, seconds=20, latency=latency)
            first["connections"]["dropped"], second["settings"]["rooms"] = 3, 5 if scenario == "broadcast" else 1
            first["messages"]["received"], second["messages"]["received"] = 400000, 800000
            paths = self.json.with_name("<b>one.json"), self.json.with_name("two.json")
            for path, values in zip(paths, (first, second)):
                path.write_text(json.dumps(values))
            done = run_weir("bench", "--compare", *paths, "--html", self.html)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(str(paths[0]), done.stdout)
            self.assertRegex(done.stdout, r"handshake p99 +[\d.]+ \w+ +[\d.]+ \w+ +1\n")
            self.assertRegex(done.stdout, r"dropped +3 +0 +0\n")
            self.assertTrue(all(len(line) <= 80 or str(paths[0].parent) in line for line in done.stdout.splitlines()))
            for width, seen in look(self.html, WIDTHS).items():
                with self.subTest(scenario=scenario, width=width):
                    self.assertEqual(seen["found"], [])
                    self.assertEqual((seen["scripts"], seen["requests"]), (3, 0))
                    self.assertEqual(seen["figures"], 6)
                    self.assertIn(f"A: {paths[0]}", seen["text"])
                    self.assertRegex(seen["text"], r"dropped\t3\t0\t0")
                    if latency is None:
                        self.assertRegex(seen["text"], r"messages\t400,000\t800,000\t2")

    def test_page_names_rooms_if_there_are_several(self):
        self.draw(rooms())
        seen = look(self.html, [1240])[1240]
        self.assertIn("1,000 in 5 rooms", seen["text"])
        self.assertIn("unexpected\t4", seen["text"])

    def test_page_names_losses_and_has_no_charts_if_nobody_connected(self):
        self.draw(nobody())
        seen = look(self.html, [1240])[1240]
        self.assertIn("No client connected: ws://127.0.0.1:9000/echo: connection refused", seen["text"])
        self.assertEqual(seen["figures"], 0)

    def test_charts_do_not_fall_at_the_end(self):
        values = result(seconds=30)
        values["intervals"] += [interval(30, received=0, measuring=False), interval(31, received=0, measuring=False)]
        self.draw(values)

        async def last_points():
            async with Chromium() as browser:
                page = await browser.open(self.html.as_uri())
                return await page.run("(series => [series.x.length, series.received.at(-1)])(makeSeries(runs[0].result, 1))")

        points, last = asyncio.run(last_points())
        self.assertEqual((points, last), (30, values["intervals"][29]["received"]))

    def test_script_writes_numbers_for_people(self):
        self.draw(result())

        async def written():
            async with Chromium() as browser:
                page = await browser.open(self.html.as_uri())
                return [await page.run(f"{function}({figure})") for function, figure, _ in NUMBERS]

        self.assertEqual(asyncio.run(written()), [text for *_, text in NUMBERS])

    def test_axes_contain_all_drawn_values(self):
        self.draw(result())

        async def checked():
            async with Chromium() as browser:
                page = await browser.open(self.html.as_uri())
                return await page.run(AXES)

        self.assertEqual(asyncio.run(checked()), [])

    def test_foreign_text_is_shown_as_text(self):
        values = everything_failed()
        values["connections"]["first_error"] += "\x1b[31m\u202e \u00e4"
        self.draw(values)
        seen = look(self.html, [1240])[1240]
        self.assertIn(NASTY + "\ufffd[31m\ufffd \u00e4", seen["text"])
        self.assertIn(values["settings"]["url"].strip(), seen["text"])

    def test_page_follows_the_colour_scheme(self):
        self.draw(result())
        light, dark = (look(self.html, [1000], dark)[1000]["background"] for dark in (False, True))
        brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (light, dark)]
        self.assertGreater(brightness[0], 600)
        self.assertLess(brightness[1], 200)

    def test_page_of_a_run_shows_its_results(self):
        done = run_weir("bench", "--scenario", "echo", "--clients", 5, "--duration", "1s", "--warmup", "0s",
                        "--json", self.json, "--html", self.html, self.weir.url("/echo"))
        self.assertEqual(done.returncode, 0, done.stderr)
        values, seen = json.loads(self.json.read_text()), look(self.html, [1240])[1240]
        self.assertEqual(seen["found"], [])
        self.assertIn("Echo, 5 clients", seen["text"])
        self.assertIn("Every message came back, unchanged.", seen["text"])
        self.assertIn(f"{values['messages']['received']:,}", seen["text"])


if __name__ == "__main__":
    unittest.main()
