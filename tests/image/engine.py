"""engine - builds the image and runs it: Docker where it works, else Buildah, which needs root but no daemon.

Both give the same: build(), describe(), files(), start() and remove(). What start() returns has run(), terminate(),
wait(), output() and remove(). Docker keeps its build cache.

With Buildah the image's tree is bound read-only in a mount namespace of its own and entered with chroot, as the image's
user, without capabilities and with no-new-privileges; the network is the machine's. Neither /proc nor /dev are mounted
there: the server needs neither.

SPDX-License-Identifier: MIT
"""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tarfile
from pathlib import Path

import base

ROOT = Path(__file__).resolve().parents[2]
CONFIGURED = "/etc/weir/weir.ini"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = 60


def output_of(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command[:6]))} ...: status {done.returncode}")
    return done.stdout.strip()


def path_of(environment):
    return next((line[5:] for line in environment if line.startswith("PATH=")), DEFAULT_PATH)


class Docker:
    name = "docker"
    listen_host = "0.0.0.0"  # of its own network; the port is published to 127.0.0.1 alone

    @staticmethod
    def works():
        return shutil.which("docker") and subprocess.run(
            ["docker", "info"], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

    def __init__(self, folder):
        self.folder = folder
        self.image = f"weir-image-check:{os.getpid()}"
        self.own_base = None

    def find_base(self):
        """BASE, else what the Dockerfile names, else one that is made here."""
        wanted = os.environ.get("BASE") or re.search("(?m)^ARG BASE=(.*)$", (ROOT / "Dockerfile").read_text()).group(1)
        for command in (["docker", "image", "inspect", wanted], ["docker", "pull", wanted]):
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode == 0:
                return wanted
        print(f"{wanted} cannot be had; making a base", flush=True)
        subprocess.run([ROOT / ".ci/deps", "mmdebstrap"], check=True)
        self.own_base = f"{self.image}-base"
        output_of(["docker", "import", f"--change=ENV PATH={DEFAULT_PATH}", base.tar_file(self.folder), self.own_base])
        return self.own_base

    def build(self):
        subprocess.run(["docker", "build", "--build-arg", f"BASE={self.find_base()}", "-t", self.image, ROOT],
                       stdin=subprocess.DEVNULL, check=True)

    def describe(self):
        return json.loads(output_of(["docker", "image", "inspect", self.image]))[0]["Config"]

    def files(self):
        """(path, mode, size) of every file."""
        container = output_of(["docker", "create", self.image])
        try:
            with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
                with tarfile.open(fileobj=export.stdout, mode="r|") as tree:
                    return [(member.name, member.mode, member.size) for member in tree if member.isfile()]
        finally:
            output_of(["docker", "rm", container])

    def start(self, configuration, port):
        return DockerContainer(self.image, configuration, port)

    def remove(self):
        for image in (self.image, self.own_base):
            if image is not None:
                subprocess.run(["docker", "image", "rm", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class DockerContainer:
    def __init__(self, image, configuration, port):
        self.id = output_of(["docker", "run", "--detach", "--read-only", "--cap-drop=ALL",
                             "--security-opt=no-new-privileges", "-p", f"127.0.0.1:{port}:{port}",
                             "-v", f"{configuration}:{CONFIGURED}:ro", image])

    def run(self, command):
        """(status, stdout and stderr) of a command within."""
        done = subprocess.run(["docker", "exec", self.id, *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout.strip()

    def terminate(self):
        output_of(["docker", "kill", "--signal=TERM", self.id])

    def wait(self):
        return int(output_of(["docker", "wait", self.id], timeout=PATIENCE))

    def output(self):
        return subprocess.run(["docker", "logs", self.id], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True).stdout

    def remove(self):
        subprocess.run(["docker", "rm", "--force", self.id], stdout=subprocess.DEVNULL)


class Buildah:
    name = "buildah"
    listen_host = "127.0.0.1"

    def __init__(self, folder):
        self.folder = folder
        self.storage = folder / "storage"
        self.command = ["buildah", "--root", self.storage, "--runroot", folder / "run"]
        self.container = None
        if os.geteuid() != 0:
            raise RuntimeError("there is no Docker engine that works, and Buildah needs root here: become root")
        subprocess.run([ROOT / ".ci/deps", "buildah", "mmdebstrap"], check=True)
        self.remove()  # what a run that was killed has left

    def build(self):
        tar = base.tar_file(self.folder)
        container = output_of([*self.command, "from", "scratch"])
        output_of([*self.command, "add", "--quiet", container, tar, "/"])
        output_of([*self.command, "commit", "--quiet", "--rm", container, "weir-base"])
        # Health checks and stop signals are Docker's, not OCI's.
        subprocess.run([*self.command, "build", "--isolation=chroot", "--network=host", "--format=docker", "--jobs=2",
                        "--build-arg", "BASE=localhost/weir-base", "--tag", "weir", ROOT],
                       stdin=subprocess.DEVNULL, check=True)
        self.container = output_of([*self.command, "from", "localhost/weir"])
        self.tree = Path(output_of([*self.command, "mount", self.container]))

    def describe(self):
        return json.loads(output_of([*self.command, "inspect", "--type=image", "localhost/weir"]))["Docker"]["config"]

    def files(self):
        found = {}  # by inode: a hard link takes no room
        for folder, _, names in os.walk(self.tree):
            for name in names:
                status = os.lstat(os.path.join(folder, name))
                if stat.S_ISREG(status.st_mode):
                    path = os.path.relpath(os.path.join(folder, name), self.tree)
                    found[status.st_ino] = (path, status.st_mode, status.st_size)
        return list(found.values())

    def start(self, configuration, port):
        return ChrootContainer(self.tree, self.describe(), configuration, self.folder / "log")

    def remove(self):
        if not self.storage.exists():
            return
        subprocess.run([*self.command, "umount", "--all"], stdout=subprocess.DEVNULL)
        subprocess.run([*self.command, "rm", "--all"], stdout=subprocess.DEVNULL)
        subprocess.run([*self.command, "rmi", "--all", "--force"], stdout=subprocess.DEVNULL)
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed(mounts):  # of the storage itself
            if Path(mount).is_relative_to(self.folder):
                subprocess.run(["umount", mount], check=True)
        shutil.rmtree(self.storage)
        shutil.rmtree(self.folder / "run", ignore_errors=True)


class ChrootContainer:
    # $1 the tree, $2 the configuration, $3 the user and group, the rest: the command. `exec` keeps the process id.
    LAUNCHER = f"""
        tree=$1 configuration=$2 user=$3
        shift 3
        mount --bind "$tree" "$tree"
        mount --bind "$configuration" "$tree{CONFIGURED}"
        mount -o remount,bind,ro "$tree{CONFIGURED}"
        mount -o remount,bind,ro "$tree"
        exec chroot --userspec="$user" --groups= "$tree" "$@"
        """

    def __init__(self, tree, description, configuration, log):
        self.environment = {"PATH": path_of(description.get("Env") or [])}
        self.launch = ["setpriv", "--no-new-privs", "unshare", "--mount", "sh", "-euc", self.LAUNCHER,
                       "launcher", tree, configuration, description["User"]]
        self.log = log
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                [*self.launch, *description["Entrypoint"], *description["Cmd"]],
                cwd="/", env=self.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def run(self, command):
        done = subprocess.run([*self.launch, *command], cwd="/", env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout.strip()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        return self.process.wait(PATIENCE)

    def output(self):
        return self.log.read_text(errors="replace")

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def choose(folder):
    return Docker(folder) if Docker.works() else Buildah(folder)
