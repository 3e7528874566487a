"""base - a small Debian as a tar file, for machines whose container registry is out of reach: what debian:NAME-slim
holds, made from the packages that this machine installs from.

It is kept in the folder it is made in, so the second time is quick.

SPDX-License-Identifier: MIT
"""

import subprocess
from pathlib import Path

WANTED = "trixie"  # as the Dockerfile
LEFT_OUT = ("doc", "man", "info", "locale")  # as the -slim images


def own_release():
    lines = Path("/etc/os-release").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    if values.get("ID") != "debian":
        raise RuntimeError("without a container engine this needs a Debian machine")
    return values["VERSION_CODENAME"]


def mirror(release):
    """Where this machine gets its own release from."""
    command = ["apt-get", "indextargets", "--format", "$(LABEL) $(RELEASE) $(COMPONENT) $(REPO_URI)"]
    listed = subprocess.run([*command, "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        words = line.split()
        if words[:3] == ["Debian", release, "main"]:
            return words[3]
    raise RuntimeError(f"/etc/apt has no source of Debian {release} main")


def make(release, uri, target):
    """A tar file or a folder, as the target's name says. True if the mirror has that release and this machine's keys
    can tell that it is genuine."""
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io",
               *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT),
               release, target, f"deb {uri} {release} main"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"no base of Debian {release}: {done.stderr[-800:]}", flush=True)
    return done.returncode == 0


def tar_file(folder):
    """The wanted release, else the machine's own."""
    folder.mkdir(parents=True, exist_ok=True)
    own = own_release()
    uri = mirror(own)
    for release in dict.fromkeys((WANTED, own)):
        file = folder / f"base-{release}.tar"
        unfinished = folder / "base-unfinished.tar"
        if not file.exists():
            if not make(release, uri, unfinished):
                unfinished.unlink(missing_ok=True)
                continue
            unfinished.rename(file)
        return file
    raise RuntimeError("no base could be made; what mmdebstrap said stands above")
