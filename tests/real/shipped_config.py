"""shipped_config - the configuration files of conf/, changed as little as a test needs.

SPDX-License-Identifier: MIT
"""

import re

from weir_process import ROOT

LIGHT_DELAY = 0.2  # seconds, instead of the tutorial's 2


def changed(text, pattern, replacement):
    """The text with a change that must be possible, so that it is the file's own text that is tested."""
    text, count = re.subn(pattern, replacement, text)
    assert count > 0, f"{pattern} does not occur"
    return text


def tutorial():
    text = (ROOT / "conf/tutorial.ini").read_text()
    text = changed(text, r"(?m)^listen = 127\.0\.0\.1:8765$", "listen = 127.0.0.1:PORT")
    text = changed(text, r"\.\./build/examples/", "EXAMPLES/")
    return changed(text, "(?m)^delay = 2s$", f"delay = {LIGHT_DELAY * 1000:.0f}ms")


def default():
    text = (ROOT / "conf/weir.ini").read_text()
    return changed(text, r"(?m)^listen\s*=\s*0\.0\.0\.0:9000$", "listen = 127.0.0.1:PORT")
