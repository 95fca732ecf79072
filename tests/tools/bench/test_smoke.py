"""The measurements themselves, at a size that tells nothing of speed: every way and step, on servers of their own."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tools.bench import __main__ as bench
from tools.bench.creds import ROLES, WAYS
from tools.bench.size import STEPS
from tools.bench.ways import UNGUARDED

pytestmark = pytest.mark.soak


def measured(out: Path, kind: str, *words: str) -> Any:
    assert bench.main([kind, "--out", str(out), *words]) == 0
    return json.loads((out / "performance" / f"{kind}.json").read_text())


@pytest.fixture(autouse=True)
def _kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "KEPT", tmp_path / "kept")


def test_every_way_makes_and_removes_three_roles(tmp_path: Path) -> None:
    result = measured(tmp_path, "compare", "--runs", "1", "--sizes", "3")
    steps = {way: {row["step"] for row in result["rows"] if row["way"] == way} for way in ("stack", "article")}
    assert steps == {
        "stack": {"create", "preview", UNGUARDED, "up", "verified up", "destroy"},
        "article": {"create", "destroy"},
    }
    terraform = bool(shutil.which("terraform") or shutil.which("tofu"))
    assert any(row["way"] == "terraform" for row in result["rows"]) == terraform
    assert all(len(row["seconds"]) == 1 for row in result["rows"])


def test_stacks_of_three_roles_live_whole_and_split(tmp_path: Path) -> None:
    result = measured(tmp_path, "size", "--sizes", "3", "--mounts", "2", "--split", "2")
    assert [row["step"] for row in result["rows"]] == list(STEPS)
    assert [row["roles"] for row in result["stacks"] if row["step"] == "destroy"] == [2, 1]
    assert min(size for row in (*result["rows"], *result["stacks"]) for size in row["bytes"]) > 0
    assert result["states"]["3"] > 0


def test_credentials_are_read_each_way(tmp_path: Path) -> None:
    result = measured(tmp_path, "creds", "--runs", "1", "--clients", "2", "--requests", "3")
    assert {(row["way"], row["type"]) for row in result["rows"]} == {(way, kind) for way in WAYS for kind in ROLES}
    assert all(len(row["latencies"]) == 3 for row in result["rows"])
