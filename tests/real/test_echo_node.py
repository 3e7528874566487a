"""test_echo_node - the echo route with Debian's node-ws; the client is echo_client.cjs.

SPDX-License-Identifier: MIT
"""

import os
import subprocess
import unittest
from pathlib import Path

from weir_process import PATIENCE, WeirTestCase, scaled

CLIENT = Path(__file__).with_name("echo_client.cjs")
STEPS = ["text", "binary", "fragments", "ping", "close", "inOrder"]


class EchoNode(WeirTestCase):
    configuration = "[server]\nlisten = 127.0.0.1:PORT\n[route /echo]\nhandler = echo\n"

    def test_node_client_gets_its_echoes(self):
        # A node that is not Debian's does not search the folder of Debian's packages.
        environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
        client = subprocess.run(
            ["node", CLIENT, self.weir.url("/echo"), str(scaled(10000, least=500))],
            env=environment, capture_output=True, text=True, timeout=4 * PATIENCE,
        )
        self.assertEqual(client.returncode, 0, client.stdout + client.stderr)
        self.assertEqual(client.stdout.split("\n")[:-1], [f"{step} ok" for step in STEPS])


if __name__ == "__main__":
    unittest.main()
