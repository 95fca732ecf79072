"""Measurements: `make bench`, `make bench-size`, `make bench-creds`; `python -m tools.bench page` draws them anew."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from tools import toolchain
from tools.bench.compare import compare
from tools.bench.creds import measure_creds
from tools.bench.measure import machine
from tools.bench.page import write_page
from tools.bench.session import Session, write_result
from tools.bench.size import grow
from tools.errors import ToolError
from tools.paths import PROJECT
from tools.vault_server import find_vault

DOCS = PROJECT / "docs"
KEPT = PROJECT / ".local" / "bench"
"""Where a run keeps what it has measured so far."""

KINDS: Mapping[str, tuple[str, Callable[..., None]]] = {
    "compare": ("bench", compare),
    "size": ("bench-size", grow),
    "creds": ("bench-creds", measure_creds),
}
"""The measurements, each with make's word for it and what runs it."""

VARIABLES = {
    "runs": "N",
    "sizes": "ROLES",
    "mounts": "MOUNTS",
    "split": "SPLIT",
    "clients": "CLIENTS",
    "requests": "REQUESTS",
}
"""Make's variables for the options of a measurement."""


def main(words: Sequence[str]) -> int:
    """Runs one measurement and writes its part of the page; returns the exit status."""
    arguments = vars(_parser().parse_args(words))
    kind, out = arguments.pop("kind"), arguments.pop("out")
    # A run that is ended stops its servers, as one that is interrupted does.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        failures = _measure(kind, arguments, out) if kind in KINDS else []
        _say(f"written: {write_page(out)}")
    except ToolError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted; what was measured so far is in {KEPT}\n")
        return 130
    for failure in failures:
        sys.stderr.write(f"{failure['what']} failed: {failure['reason']}\n")
    return 1 if failures else 0


def command(kind: str, options: Mapping[str, Any]) -> str:
    """The command that measures again what was measured: make's, with every option that counts."""
    values = {
        VARIABLES[name]: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in options.items()
    }
    return " ".join(["make", KINDS[kind][0], *(f"{name}={value}" for name, value in values.items())])


def _measure(kind: str, options: Mapping[str, Any], out: Path) -> list[dict[str, str]]:
    tools = toolchain.find(need_engine=find_vault(os.environ) is None, say=_say)
    failures: list[dict[str, str]] = []
    result: dict[str, Any] = {"kind": kind, "command": command(kind, options), "machine": machine(tools), **options}
    session = Session(tools, _say, KEPT / f"{kind}.json", result | {"failures": failures})
    KINDS[kind][1](session, **options)
    write_result(out / "performance" / f"{kind}.json", session.result)
    return failures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="KIND", dest="kind")
    for kind, (word, run) in KINDS.items():
        one = kinds.add_parser(kind, help=f"make {word}: {(run.__doc__ or '').splitlines()[0]}")
        one.add_argument("--runs", type=_count, default={"compare": 5, "size": 1, "creds": 3}[kind])
        if kind != "creds":
            sizes = [100, 500] if kind == "compare" else [10, 100, 500, 1000, 2000]
            one.add_argument("--sizes", type=_counts, default=sizes, help="numbers of roles, such as 100,500")
        if kind == "size":
            one.add_argument("--mounts", type=_count, default=5, help="over how many mounts the roles go")
            one.add_argument(
                "--split", type=_count_or_none, default=20, help="as how many stacks the most roles are made; 0: none"
            )
        if kind == "creds":
            one.add_argument("--clients", type=_counts, default=[1, 8, 32], help="how many read at once")
            one.add_argument("--requests", type=_count, default=100, help="how many reads in each run")
    kinds.add_parser("page", help="write the page and the plots anew from what was measured")
    for one in kinds.choices.values():
        one.add_argument("--out", type=Path, default=DOCS, help="the folder of performance.md (default: docs)")
    return parser


def _count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of at least 1")
    return int(text)


def _count_or_none(text: str) -> int:
    return 0 if text == "0" else _count(text)


def _counts(text: str) -> list[int]:
    return sorted({_count(word) for word in text.split(",")})


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
