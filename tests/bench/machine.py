"""machine - what the figures were measured on.

SPDX-License-Identifier: MIT
"""

import os
import platform
import re
import subprocess
import time
from pathlib import Path


def facts():
    return {"date": time.strftime("%Y-%m-%d", time.gmtime()), "processor": processor(),
            "processors": len(os.sched_getaffinity(0)), "memory_gib": round(memory_bytes() / 2**30, 1),
            "kernel": f"Linux {platform.release()} {platform.machine()}", "system": system(), "compiler": compiler()}


def processor():
    found = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def memory_bytes():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def system():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def compiler():
    try:
        told = subprocess.run(["cc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.splitlines()[0]
