"""process_state - what a server's process uses, as /proc tells: memory, threads, descriptors, processor time.

SPDX-License-Identifier: MIT
"""

import os
import re
from pathlib import Path

from weir_process import WEIR, until

MIB = 1 << 20
SANITIZED = any(name in WEIR.read_bytes() for name in (b"__asan_init", b"__tsan_init"))


def threads(weir):
    return len(os.listdir(f"/proc/{weir.pid}/task"))


def memory(weir):
    """Resident bytes."""
    return memory_field(weir, "VmRSS")


def peak_memory(weir):
    """The most resident bytes that there ever were, or since forget_peak()."""
    return memory_field(weir, "VmHWM")


def memory_field(weir, name):
    status = Path(f"/proc/{weir.pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE).group(1)) * 1024


def forget_peak(weir):
    Path(f"/proc/{weir.pid}/clear_refs").write_text("5")


def processor_seconds(weir):
    fields = Path(f"/proc/{weir.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settled_descriptors(weir):
    """How many descriptors the server has without clients. It may still be starting, and the HTTP library closes
    its own a moment after the client has."""
    counts = [weir.descriptors()]
    until(lambda: counts.append(weir.descriptors()) or counts[-50:] == counts[-1:] * 50, "the descriptors settle")
    return counts[-1]
