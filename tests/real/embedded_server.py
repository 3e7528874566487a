"""embedded_server - examples/embed.c, a program with the server inside, as a server for tests.

SPDX-License-Identifier: MIT
"""

from weir_process import EXAMPLES, Weir


class Embedded(Weir):
    def command(self, file):
        return [EXAMPLES / "embed", f"127.0.0.1:{self.port}"]
