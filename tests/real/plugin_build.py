"""plugin_build - compiles plug-ins for tests.

SPDX-License-Identifier: MIT
"""

import subprocess
from pathlib import Path

from weir_process import ROOT

HERE = Path(__file__).resolve().parent
COMMAND = ["cc", "-std=gnu17", "-shared", "-fPIC", "-pthread", "-Iinclude"]


def compile_plugin(name, folder, *flags, text=None):
    """Compiles NAME.c of this folder, or the text of a program, to NAME.so in `folder`. Returns the path of that."""
    plugin = Path(folder) / f"{name}.so"
    source = [HERE / f"{name}.c"] if text is None else ["-xc", "-"]
    subprocess.run([*COMMAND, *flags, "-o", plugin, *source], cwd=ROOT, input=text, text=True, check=True)
    return plugin
