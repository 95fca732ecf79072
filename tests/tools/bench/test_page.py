"""The page is made of measurements and of nothing else, and leaves alone what people write around them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools.bench.__main__ import command, main
from tools.bench.page import PARTS, marks, render, write_page
from tools.errors import ToolError

MACHINE = {
    "cores": 2,
    "processor": "a processor",
    "memory": 8 * 2**30,
    "system": "Linux",
    "load": 0.1,
    "commit": "abc",
    "day": "2026-01-02",
    "versions": {"Pulumi": "3.1"},
}


def result(kind: str, **values: Any) -> dict[str, Any]:
    return {"kind": kind, "command": f"make {kind}", "machine": MACHINE, "runs": 3, "failures": [], **values}


def row(way: str, step: str, *seconds: float, roles: int = 100) -> dict[str, Any]:
    return {"way": way, "roles": roles, "step": step, "seconds": list(seconds), "bytes": []}


def comparison(**values: Any) -> dict[str, Any]:
    rows = [
        row("stack", "create", 5.0, 9.0, 6.0),
        row("terraform", "create", 6.0, 5.0, 7.0),
        row("stack", "preview", 4.0, 4.0, 4.0),
        row("terraform", "preview", 2.0, 2.0, 2.0),
        row("stack", "preview without the policy pack", 3.0),
        row("stack", "verified up", 19.0),
        row("article", "create", 70.0),
    ]
    return result("compare", **{"sizes": [100], "rows": rows, "starts": [4.0, 6.0, 5.5], **values})


def sizes() -> dict[str, Any]:
    rows = [
        {"roles": roles, "step": "create", "seconds": [took], "bytes": [roles * 2**20]}
        for roles, took in ((10, 2.0), (100, 11.0), (1000, 191.0))
    ]
    stacks = [
        {"roles": 50, "step": "create", "stack": f"team-0{number}", "seconds": [took], "bytes": [2**20]}
        for number, took in enumerate((3.0, 5.0))
    ]
    return result("size", sizes=[10, 100, 1000], rows=rows, mounts=5, split=2, states={"10": 2048}, stacks=stacks)


def credentials() -> dict[str, Any]:
    rows = [
        {"way": way, "type": "iam_user", "clients": 2, "seconds": [2.0], "latencies": [0.01] * 19 + [first]}
        for way, first in (("bare", 0.5), ("consumer", 0.7))
    ]
    return result("creds", rows=rows, requests=20)


def test_ways_stand_side_by_side_as_medians_with_their_spread() -> None:
    text = render(comparison())
    assert "| 100 roles, create | 6.0 s (5.0 s to 9.0 s) | 6.0 s (5.0 s to 7.0 s) | 70.0 s | 1.00 |" in text
    assert "| 100 roles, the same without the policy pack | 3.0 s | — | — | — |" in text
    assert "| 100 roles, destroy | — | — | — | — |" in text


def test_a_target_that_was_missed_is_named_with_its_figure() -> None:
    text = render(comparison())
    assert "| create of 100 roles, times Terraform's | 1.00 | 1 | met |" in text
    assert "| no-change preview of 100 roles, times Terraform's | 2.00 | 1.5 | **missed** |" in text
    assert "| create of 100 roles, times one process a write | 0.09 | 0.1 | met |" in text
    assert "with nothing to change, every role proved | 19.00 s | 20 s | met |" in text
    assert "| start of the embedded servers | 5.50 s | 5 s | **missed** |" in text


def test_a_missing_terraform_is_said() -> None:
    rows = [one for one in comparison()["rows"] if one["way"] != "terraform"]
    text = render(comparison(rows=rows))
    assert "Neither `terraform` nor `tofu` was on PATH" in text
    assert "times Terraform's" not in text
    assert "Neither" not in render(comparison())


def test_growth_and_split_stand_beside_the_whole() -> None:
    text = render(sizes())
    assert "| create | 10 to 100: 100.0 ms; 100 to 1000: 200.0 ms | up to 100 |" in text
    assert "| 10 roles | 10.0 MiB | 2.0 KiB |" in text
    assert "| create (2 stacks) | 4.0 s | 5.0 s | 8.0 s | 1.0 MiB | 191 s |" in text


def test_credentials_have_percentiles_and_throughput() -> None:
    text = render(credentials())
    assert "| bare mount, root token | 2 | 10.0 ms | 10.0 ms | 10.0 |" in text


def test_what_failed_is_said() -> None:
    failures = [{"what": "500 roles", "reason": "a\nb"}]
    assert render(comparison(failures=failures)).endswith("- 500 roles failed: a b")


def test_each_part_is_written_in_its_place(tmp_path: Path) -> None:
    for one in (credentials(), comparison(), sizes()):
        file = tmp_path / "performance" / f"{one['kind']}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(one))
        write_page(tmp_path)
    assert main(["page", "--out", str(tmp_path)]) == 0
    page = tmp_path / "performance.md"
    text = page.read_text()
    assert [text.count(render(one, [f"{one['kind']}.svg"])) for one in (comparison(), sizes(), credentials())] == [
        1
    ] * 3
    assert re.findall("^## (.*)", text, re.MULTILINE) == list(PARTS.values())
    assert all(f"make {kind}" in text for kind in ("compare", "size", "creds"))
    assert all(
        "<svg" in (tmp_path / "performance" / f"{kind}.svg").read_text() for kind in ("compare", "size", "creds")
    )
    page.write_text(text.replace("## As it grows", "By people.\n\n## As it grows").replace("6.0 s", "1.0 s"))
    write_page(tmp_path)
    assert page.read_text() == text.replace("## As it grows", "By people.\n\n## As it grows")


def test_a_page_that_lost_a_mark_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance" / "compare.json").write_text(json.dumps(comparison()))
    broken = marks("compare")[0]
    (tmp_path / "performance.md").write_text(broken)
    with pytest.raises(ToolError, match=r"performance\.md has no place"):
        write_page(tmp_path)
    assert (tmp_path / "performance.md").read_text() == broken


def test_the_command_names_every_option_that_counts() -> None:
    options = {"runs": 1, "sizes": [10, 100], "mounts": 5, "split": 0}
    assert command("size", options) == "make bench-size N=1 ROLES=10,100 MOUNTS=5 SPLIT=0"


@pytest.mark.parametrize("words", [["compare", "--sizes", "0"], ["compare", "--runs", "x"], ["size", "--split", "-1"]])
def test_options_that_measure_nothing_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert "Traceback" not in capsys.readouterr().err
