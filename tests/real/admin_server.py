"""admin_server - a server whose configuration can be changed while it runs, and one with an admin listener as well.

SPDX-License-Identifier: MIT
"""

import http.client
import signal
from pathlib import Path

from weir_process import EXAMPLES, PATIENCE, Weir, free_port, until

TOKEN = "0123456789abcdef-secret"


class Reloading(Weir):
    """A server whose configuration file can be written again."""

    reloads = 0

    def write(self, configuration):
        file = Path(self.directory.name) / "weir.ini"
        file.write_text(configuration.replace("PORT", str(self.port)).replace("EXAMPLES", str(EXAMPLES)))

    def reload(self, configuration):
        """Returns the log line with the result."""
        self.write(configuration)
        return self.hang_up()

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)
        self.reloads += 1

        def find():
            lines = [line for line in self.log().splitlines() if "event=reload" in line and "done=" in line]
            return lines[self.reloads - 1] if len(lines) >= self.reloads else None

        return until(find, "the log has the result of the reload")

    def maps(self, name):
        """Whether a shared object is loaded."""
        return name in Path(f"/proc/{self.pid}/maps").read_text()


class WithAdmin(Reloading):
    """A server with an admin listener. ADMIN stands for its port."""

    def __init__(self, configuration, **options):
        self.admin_port = free_port()
        super().__init__(configuration.replace("ADMIN", str(self.admin_port)), **options)
        self.log_line("event=ready")

    def write(self, configuration):
        super().write(configuration.replace("ADMIN", str(self.admin_port)))

    def ask(self, method, path, headers=None, body=None):
        """One request of its own. Returns status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def metrics(self):
        """{'name{labels}': value}"""
        status, _, text = self.ask("GET", "/metrics")
        assert status == 200, text
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}
