"""What the project is made of is listed whole, and an audit says what it found and where it could not look."""

import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools import supply_chain
from tools.go_tools import go_platform, provide
from tools.supply_chain import BUILT, FOUND, NOT_LOOKED, REQUIREMENTS, audit, go_binaries, main, sbom
from tools.toolchain import ACTIONLINT, CYCLONEDX_GOMOD, GOVULNCHECK

# One tool stands for all: what differs between the binaries is only their modules.
MODULE = "github.com/robfig/cron/v3"
NOWHERE = "http://127.0.0.1:1"
FLAW = {"id": "GO-2026-0001", "modified": "2026-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def binaries() -> dict[str, Path]:
    # Built here, all of them, so that a test hears of nothing but what it asks.
    tools = provide([ACTIONLINT, GOVULNCHECK, CYCLONEDX_GOMOD], environ=os.environ, say=print)
    return {"actionlint": tools[ACTIONLINT] / "actionlint"}


@pytest.fixture
def few_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock file with one package, which is asked about sooner than a hundred and fifty."""
    [block] = re.findall(r"^requests==.*(?:\n +--hash.*)+", REQUIREMENTS.read_text(), re.MULTILINE)
    (tmp_path / "requirements-dev.txt").write_text(f"{block}\n")
    monkeypatch.setattr(supply_chain, "REQUIREMENTS", tmp_path / "requirements-dev.txt")


@pytest.fixture
def osv() -> Iterator[tuple[str, dict[str, Any]]]:
    """A database of Python packages that knows what a test puts into it; its query address, and that."""
    known: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"vulns": known.get(asked["package"]["name"], [])}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query", known
    server.shutdown()
    thread.join()
    server.server_close()


def go_database(folder: Path, *modules: str) -> str:
    """A database of Go modules in each of which one flaw is known (https://go.dev/doc/security/vuln/database)."""
    (folder / "index").mkdir()
    (folder / "ID").mkdir()
    index = {
        "db": {"modified": FLAW["modified"]},
        "modules": [{"path": module, "vulns": [{**FLAW, "fixed": "99.0.0"}]} for module in modules],
        "vulns": [FLAW] if modules else [],
    }
    for name, content in index.items():
        (folder / "index" / f"{name}.json").write_text(json.dumps(content))
    affected = [
        {
            "package": {"name": module, "ecosystem": "Go"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "99.0.0"}]}],
            "ecosystem_specific": {"imports": [{"path": module}]},
        }
        for module in modules
    ]
    entry: dict[str, Any] = {
        "schema_version": "1.3.1",
        **FLAW,
        "summary": "a flaw",
        "details": "a flaw",
        "affected": affected,
    }
    entry["database_specific"] = {"url": "https://pkg.go.dev/vuln/GO-2026-0001"}
    (folder / "ID" / f"{FLAW['id']}.json").write_text(json.dumps(entry))
    return folder.as_uri()


def flaw_of(package: str, fixed: str) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    affected = [{"package": {"name": package, "ecosystem": "PyPI"}, "ranges": ranges, "versions": []}]
    return {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "details": "a flaw", "affected": affected}


@pytest.mark.usefixtures("few_packages")
def test_nothing_known_is_said_of_each(
    tmp_path: Path, binaries: dict[str, Path], osv: tuple[str, dict[str, Any]]
) -> None:
    said: list[str] = []
    assert audit(osv[0], go_database(tmp_path), said.append, binaries) == 0
    [python, go] = said
    assert re.fullmatch(r"Python packages of .*: \d+ looked at, 0 known to be vulnerable", python)
    assert go == "actionlint: looked at, nothing known to be vulnerable"


@pytest.mark.usefixtures("few_packages")
def test_what_is_known_of_a_package_is_found(
    tmp_path: Path, binaries: dict[str, Path], osv: tuple[str, dict[str, Any]]
) -> None:
    said: list[str] = []
    osv[1]["requests"] = [flaw_of("requests", "99.0")]
    assert audit(osv[0], go_database(tmp_path), said.append, binaries) == FOUND
    version = pinned()["requests"]
    assert f"{said[0]}" == (
        f"Python packages of requirements-dev.txt: requests {version}: PYSEC-2026-1, CVE-2026-1; mended in 99.0"
    )
    assert said[1].endswith("looked at, 1 known to be vulnerable")


@pytest.mark.usefixtures("few_packages")
def test_what_is_known_of_a_go_module_is_found(
    tmp_path: Path, binaries: dict[str, Path], osv: tuple[str, dict[str, Any]]
) -> None:
    said: list[str] = []
    assert audit(osv[0], go_database(tmp_path, MODULE), said.append, binaries) == FOUND
    assert said[-1].startswith("actionlint: known to be vulnerable\n")
    assert f"Found in: {MODULE}@v" in said[-1]


@pytest.mark.usefixtures("few_packages")
def test_a_database_that_does_not_answer_is_no_good_news(
    tmp_path: Path, binaries: dict[str, Path], osv: tuple[str, dict[str, Any]]
) -> None:
    said: list[str] = []
    assert audit(NOWHERE, NOWHERE, said.append, binaries) == NOT_LOOKED
    assert said[0].startswith("Python packages of requirements-dev.txt: not looked at: pip-audit could not reach its")
    assert said[1].startswith("actionlint: not looked at: ")
    # A finding counts, whatever else could not be looked at.
    osv[1]["requests"] = [flaw_of("requests", "99.0")]
    assert audit(osv[0], NOWHERE, said.append, binaries) == FOUND


def test_packages_that_were_left_out_are_not_called_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, osv: tuple[str, dict[str, Any]]
) -> None:
    # What pip-audit prints, and its 0, where its index answers and knows nothing of a package.
    skipped = {
        "dependencies": [{"name": "a", "skip_reason": "not found: a"}, {"name": "b", "version": "1", "vulns": []}]
    }
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(skipped)}\nEND\n")
    tool.chmod(0o755)
    monkeypatch.setattr(supply_chain, "_BESIDE", tmp_path)
    said: list[str] = []
    assert audit(None, go_database(tmp_path), said.append, {}) == NOT_LOOKED
    assert said[0].endswith(": 1 looked at, 0 known to be vulnerable, 1 not looked at: not found: a")


def test_every_pinned_package_and_every_linked_module_is_listed(tmp_path: Path, binaries: dict[str, Path]) -> None:
    said: list[str] = []
    assert sbom(tmp_path / "out", said.append, binaries) == 0
    files = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(files) == {"actionlint.cdx.json", "python.cdx.json"}
    python, go = (parts(files[name]) for name in ("python.cdx.json", "actionlint.cdx.json"))
    assert {part["name"]: part["version"] for part in python} == pinned()
    for part in python:
        [distribution] = [one for one in part["externalReferences"] if one["type"] == "distribution"]
        assert distribution["hashes"]
    versions = {part["name"]: part["version"] for part in go}
    go_mod = (ACTIONLINT.module / "go.mod").read_text()
    required = dict(re.findall(r"^\t(\S+) (v\S+) // indirect$", go_mod, re.MULTILINE))
    assert versions[MODULE] == required[MODULE]
    assert versions["std"]
    assert said == [
        f"{tmp_path}/out/{name}.cdx.json: {len(found)} components"
        for name, found in (("python", python), ("actionlint", go))
    ]
    # Twice the same list is the same file.
    assert sbom(tmp_path / "out", print, binaries) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == files


def test_what_runs_a_stack_is_among_the_binaries() -> None:
    found = go_binaries(print)
    assert set(found) == {
        "bao",
        "pulumi",
        "pulumi-language-python",
        "pulumi-resource-aws",
        "pulumi-resource-vault",
        "vault-aws",
    }
    assert all(path.read_bytes()[:4] in {b"\x7fELF", b"\xcf\xfa\xed\xfe"} for path in found.values())


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["sbom", "--out", str(tmp_path / "file")]) == NOT_LOOKED
    assert capsys.readouterr().err.endswith("file cannot be made: File exists; name another with OUT=…\n")


@pytest.mark.parametrize("tool", [GOVULNCHECK, CYCLONEDX_GOMOD])
def test_the_version_that_a_tool_is_known_by_is_the_one_that_is_built(tool: Any) -> None:
    [(_, package)] = tool.binaries
    module = re.sub(r"/cmd/.*", "", package)
    assert f"\t{module} v{tool.version} // indirect" in (tool.module / "go.mod").read_text()
    assert go_platform(BUILT, os.environ).startswith("go")


def pinned() -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", REQUIREMENTS.read_text(), re.MULTILINE))


def parts(content: bytes) -> list[dict[str, Any]]:
    """The components of a list that keeps the schema."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode()) is None
    found: list[dict[str, Any]] = json.loads(content)["components"]
    return found
