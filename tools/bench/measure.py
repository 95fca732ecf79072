"""Times, memory of child processes, and the facts of the machine that they were measured on."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

from tools import toolchain
from tools.bench.ways import PROVIDER, find_cli, find_terraform
from tools.paths import PROJECT

_EVERY: Final = 0.1
"""Seconds between two looks at the memory of child processes."""

_PACKAGES: Final = ("pulumi", "pulumi-vault", "pulumi-aws", "moto")


def timed(action: Callable[[], object]) -> float:
    """Runs an action; gives the seconds it took by the wall's clock."""
    started = time.monotonic()
    action()
    return time.monotonic() - started


def watched(action: Callable[[], object], *, servers: Collection[int]) -> tuple[float, int]:
    """Runs an action and watches the memory of the processes that it starts.

    Args:
        action: What to run.
        servers: The ids of child processes that were there before and do not count, nor do their children.

    Returns:
        The seconds it took, and the most bytes that its processes held at once in memory (resident set sizes added up,
        so that what two share counts twice).
    """
    over = threading.Event()
    peak = 0

    def watch() -> None:
        nonlocal peak
        while not over.wait(_EVERY):
            peak = max(peak, _resident(psutil.Process(), servers))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        took = timed(action)
    finally:
        over.set()
        watcher.join()
    return took, peak


def _resident(parent: psutil.Process, servers: Collection[int]) -> int:
    held = 0
    try:
        for child in parent.children():
            if child.pid not in servers:
                held += _own(child) + sum(map(_own, child.children(recursive=True)))
    except psutil.NoSuchProcess:
        # It ended while it was looked at.
        return held
    return held


def _own(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def machine(tools: toolchain.Toolchain) -> dict[str, Any]:
    """The machine, the versions, and how busy it was: what a reader needs to judge a figure."""
    env = tools.env(os.environ)
    pulumi = shutil.which("pulumi", path=env["PATH"])
    terraform = find_terraform()
    versions = {
        "Python": platform.python_version(),
        "Pulumi": _said([pulumi, "version"]) if pulumi else "none",
        "Vault server and CLI": _said([str(find_cli()), "version"]),
        "AWS engine": f"Vault's {toolchain.ENGINE.version}" if tools.engine_plugin else "the server's own",
        "for comparison": f"{terraform.name} {_terraform_version(terraform)}" if terraform else "not on PATH",
        "its provider": PROVIDER.version,
        **{f"Python package {name}": version(name) for name in _PACKAGES},
    }
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2),
        "commit": _said(["git", "describe", "--always", "--dirty"]),
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "versions": versions,
    }


def _said(command: list[str]) -> str:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    return (done.stdout.strip().splitlines() or ["unknown"])[0]


def _terraform_version(binary: Path) -> str:
    done = subprocess.run([str(binary), "version", "-json"], capture_output=True, text=True, check=False)
    found = re.search(r"\{.*\}", done.stdout, re.DOTALL)
    return str(json.loads(found[0])["terraform_version"]) if found else "of unknown version"


def _processor() -> str:
    if sys.platform == "linux":
        names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        return str(names[0]) if names else platform.machine()
    return platform.processor() or platform.machine()
