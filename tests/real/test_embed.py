"""test_embed - examples/embed.c, a program with the server inside.

SPDX-License-Identifier: MIT
"""

import signal
import subprocess
import unittest

from embedded_server import Embedded
from raw_client import BINARY, TEXT, RawClient, frame
from weir_process import EXAMPLES, PATIENCE, until


class Embed(unittest.TestCase):
    def test_embedded_server_echoes_and_stops_on_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Embedded("") as program:
                with RawClient(program.port, upgrade="/echo") as client:
                    for message in (frame(TEXT, b"hello"), frame(BINARY, b"\x00\xff")):
                        client.send(message)
                    self.assertEqual(client.frame(), (TEXT, b"hello"))
                    self.assertEqual(client.frame(), (BINARY, b"\x00\xff"))
                    program.process.send_signal(number)
                    self.assertEqual(client.frame().close_code, 1001)
                until(lambda: program.process.poll() is not None, "the program ends")

    def test_embedded_program_reports_a_wrong_address(self):
        done = subprocess.run([EXAMPLES / "embed", "nonsense"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^embed: .*nonsense.*\n$")


if __name__ == "__main__":
    unittest.main()
