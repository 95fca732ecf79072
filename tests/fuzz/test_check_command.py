"""`make check` as people run it, on files that nobody should have."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.check import stack_faults
from tools.paths import PROJECT

NASTY: dict[str, bytes] = {
    "empty.json": b"",
    "nul.json": b"\x00" * 100,
    "binary.json": bytes(range(256)),
    "latin-1.json": '{"Id": "é"}'.encode("latin-1"),
    "deep.json": b"[" * 60_000,
    "deeper.json": b'{"Statement":' * 4_000 + b"1" + b"}" * 4_000,
    "huge.json": b" " * 100_000_000,
    "long-number.json": b'{"Id": ' + b"9" * 60_000 + b"}",
    "surrogates.json": b'{"Version": "2012-10-17", "Statement": "\\ud800\\udfff \\ud800"}',
    "escapes.json": json.dumps({"Version": "\x1b]0;title\x07\x1b[31m", "\u202e": "\x9b"}).encode(),
    "stars.json": json.dumps({"Version": "2012-10-17", "Statement": [{"Action": "s3:" + "*?" * 15_000}]}).encode(),
    "many.json": b'{"Statement": [' + b"0," * 30_000 + b"0]}",
    "twice.json": b"{" + b'"Id": 1, ' * 5_000 + b'"Id": 1}',
    "bom.json": b"\xff\xfe{\x00}\x00",
}


def check(names: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "tools", "check", "--", *names],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_nastiest_documents_are_refused_in_words(tmp_path: Path, encoding: str) -> None:
    for name, content in NASTY.items():
        (tmp_path / name).write_bytes(content)
    odd = ["\x1b[31m\n.json", "-rf.json", os.fsdecode(b"\xff.json")]
    for name in odd:
        (tmp_path / name).write_bytes(b"{")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "endless.json").symlink_to("/dev/zero")
    (tmp_path / "circle.json").symlink_to("circle.json")
    names = [*NASTY, *odd, "pipe.json", "folder.json", "endless.json", "circle.json", "missing.json", "n" * 300]
    done = check(names, tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 1
    assert done.stdout == b""
    said = done.stderr.decode(encoding)
    assert "Traceback" not in said
    lines = said.splitlines()
    assert all(line.isprintable() for line in lines)
    for name in names:
        shown = "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in " ".join(name.split()))
        assert any(line.startswith(f"{shown}: ") for line in lines), name


STACKS: dict[str, bytes] = {
    "tag": b"config: {a: !!python/object/apply:os.system [id]}",
    "anchor": b"config: &a {b: *a}",
    "deep": b"config: " + b"{a: " * 2_000,
    "keys": b"config: {vault-aws:roles: {5: {}, null: {}, 2026-01-01: {}}}",
    "escape": b'config: {"vault-aws:roles": {"\\e[31m": {"\\a": 1}}}',
    "lists": b"config: {aws:region: [], vault-aws:roles: [1], vault-aws:engines: x, vault-aws:audit: {devices: 5}}",
    "shared": b"config: {vault-aws:shared: ../../etc/passwd}",
    "circle": b"config: {vault-aws:shared: Pulumi.circle.yaml}",
    "template": b'config: {vault-aws:engines: {aws: {usernameTemplate: "{{' + b" " * 60_000 + b'"}}}',
    "durations": b"config: {vault-aws:engines: {aws: {maxLeaseTtl: " + b"9" * 5_000 + b"h}}}",
}


def test_the_nastiest_stacks_are_refused_in_words(tmp_path: Path) -> None:
    files = []
    for stack, content in STACKS.items():
        files.append(tmp_path / f"Pulumi.{stack}.yaml")
        files[-1].write_bytes(content)
    lines = list(map(str, stack_faults(files)))
    for file in files:
        assert any(line.startswith(f"{file.name}: ") for line in lines), file.name
    assert all(line.isprintable() and len(line) < 4_000 for line in lines)
