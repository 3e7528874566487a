"""prometheus - Debian's Prometheus, which scrapes one target every second and evaluates conf/alerts.yml as often,
for as long as a test runs. Its port is free and on loopback, its storage is temporary, it dies with the test.

SPDX-License-Identifier: MIT
"""

import json
import math
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from weir_process import PATIENCE, ROOT, free_port, until

PROMETHEUS = Path("/usr/bin/prometheus")
CONFIGURATION = """
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ["%s"]
scrape_configs:
  - job_name: weir
    static_configs: [{targets: ["%s"]}]
"""


class Prometheus:
    """Of the job `weir`, whose target is an address and port. Ready when made, and the target is up."""

    def __init__(self, target):
        self.directory = tempfile.TemporaryDirectory(prefix="weir-test-")
        folder = Path(self.directory.name)
        (folder / "prometheus.yml").write_text(CONFIGURATION % (ROOT / "conf/alerts.yml", target))
        self.port = free_port()
        self.log_file = folder / "log"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", PROMETHEUS, f"--config.file={folder}/prometheus.yml",
                 f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            until(self._target_is_up, "Prometheus has scraped the target")
        except AssertionError:
            log = self.log_file.read_text(errors="replace")
            self.stop()
            raise AssertionError(f"Prometheus did not start, or did not reach its target\n{log}") from None

    def _target_is_up(self):
        if self.process.poll() is not None:
            raise AssertionError
        try:
            return self.query("up == 1")
        except (OSError, ValueError):  # not there yet, or not ready
            return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()

    def ask(self, path, **parameters):
        """The data of an answer of the API. ValueError with its words if it refuses: what it cannot parse, say."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode(errors="replace")) from None

    def query(self, expression, time=None):
        """[(labels, value)] at a time, or now."""
        at = {} if time is None else {"time": time}
        result = self.ask("query", query=expression, **at)["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def number(self, expression, time=None):
        """The only value of an expression."""
        ((_, value),) = self.query(expression, time)
        if not math.isfinite(value):
            raise AssertionError(f"{expression} is {value}")
        return value

    def values(self, expression, start, end, step=1):
        """The values of an expression that has one series, from a time to another."""
        (series,) = self.ask("query_range", query=expression, start=start, end=end, step=step)["result"]
        return [float(value) for _, value in series["values"]]
