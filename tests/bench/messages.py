"""messages - JSON messages of 1 KiB, alike and yet not the same, as an application would send them.

SPDX-License-Identifier: MIT
"""

import json
import random

COUNT = 100
SIZE = 1024
WORDS = "temperature pressure humidity voltage status open closed north south east west kitchen hall cellar".split()


def write_json_messages(path):
    """One in each line; always the same ones."""
    random_source = random.Random(1)
    path.write_text("".join(json_message(random_source) + "\n" for _ in range(COUNT)), encoding="ascii")
    return path


def json_message(random_source):
    message = {"type": "readings", "sender": f"sensor-{random_source.randrange(1000):03}", "readings": []}
    while True:
        message["readings"].append({"name": random_source.choice(WORDS), "place": random_source.choice(WORDS),
                                    "value": round(random_source.uniform(-40, 120), 2),
                                    "at": 1700000000 + random_source.randrange(10000000)})
        text = json.dumps(message, separators=(",", ":"))
        if len(text) > SIZE - 12:
            message["readings"].pop()
            break
    message["end"] = ""
    message["end"] = "." * (SIZE - len(json.dumps(message, separators=(",", ":"))))
    return json.dumps(message, separators=(",", ":"))
