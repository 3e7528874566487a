"""test_bench_report - the page of `weir bench --html` in a real browser: nothing overlaps or overflows, and no text
from outside becomes markup, on narrow and wide screens, light and dark.

Needs Debian's package chromium. It is large, so `make deps` does not install it; without it these tests are skipped.

SPDX-License-Identifier: MIT
"""

import html
import json
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from weir_process import PATIENCE, WeirTestCase, run_weir

CHROMIUM = shutil.which("chromium")
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


@unittest.skipUnless(CHROMIUM, "chromium is not installed (apt-get install chromium)")
class BenchPage(WeirTestCase):
    configuration = "[server]\nlisten = 127.0.0.1:PORT\n[route /echo]\nhandler = echo\n"

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        self.addCleanup(directory.cleanup)
        self.json, self.html = Path(directory.name) / "result.json", Path(directory.name) / "page.html"

    def draw(self, values):
        self.json.write_text(json.dumps(values))
        done = run_weir("bench", "--merge", self.json, "--html", self.html)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_page_of_every_kind_of_result_fits_every_width(self):
        for name, (values, figures) in RESULTS.items():
            self.draw(values)
            for width, seen in look(self.html, WIDTHS).items():
                with self.subTest(result=name, width=width):
                    self.assertEqual(seen["found"], [])
                    self.assertEqual(seen["figures"], figures)
                    self.assertEqual(seen["scripts"], 1)  # ours
                    self.assertEqual(seen["requests"], 0)
                    self.assertNotIn("taken over", seen["title"])

    def test_foreign_text_is_shown_as_text(self):
        values = everything_failed()
        self.draw(values)
        seen = look(self.html, [1240])[1240]
        self.assertIn(NASTY, seen["text"])
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
