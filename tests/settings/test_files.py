"""What a stack's file must be before anything looks at its settings."""

import os
from pathlib import Path
from typing import Any

import pytest

from settings.faults import Fault, FaultsError
from settings.files import MAX_BYTES, config_of
from settings.plain import DEEPEST, LONGEST_KEY, MOST
from settings.shared import with_shared

_DEEP = "is nested over 30 levels deep, or an alias stands within its own anchor; no setting needs ten levels"
_MANY = (
    "holds over 200,000 values, each counted as often as an alias names it; write it without aliases, or split the "
    "stack"
)


def bomb(levels: int, member: str) -> bytes:
    """Each level names the one before twice over: a list or a mapping that no memory holds."""
    lines = ["a0: &a0 {x: y}"]
    lines += [f"a{level}: &a{level} {member.format(level - 1)}" for level in range(1, levels)]
    return "\n".join(["config:", *(f"  {line}" for line in lines)]).encode()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"config: {a: !!python/object/apply:os.system [id]}", "line 1, column 13: is not YAML: the tag "),
        (b"config: {a: !own x}", "line 1, column 13: is not YAML: the tag '!own' makes nothing that a setting can be"),
        (b"config:\n  a: 1\n  a: 2", "line 3, column 3: is not YAML: the key 'a' stands there twice"),
        (
            b"config: {a: 2026-13-45}",
            "line 1, column 13: is not YAML: '2026-13-45' is no timestamp; write it in quotes",
        ),
        (b"config: {a: !!bool maybe}", "line 1, column 13: is not YAML: 'maybe' is no bool; write it in quotes"),
        (b"config: {a: !!int x}", "line 1, column 13: is not YAML: 'x' is no int; write it in quotes if it is text"),
        (b"config: {a: !!timestamp x}", "line 1, column 13: is not YAML: 'x' is no timestamp; write it in quotes"),
        (b"config: {a: " + b"9" * 5_000 + b"}", "line 1, column 13: is not YAML: '9999"),
        (b"config: {? [a]: b}", "line 1, column 12: is not YAML: found unhashable key"),
        (b"config: !!map [a]", "line 1, column 9: is not YAML: expected a mapping node, but found sequence"),
        (b"config: &a [*a]", _DEEP),
        (b"config: &a {b: *a}", _DEEP),
        (b"config: " + b"[" * 100 + b"]" * 100, _DEEP),
        (b"config: " + b"[" * 10_000, _DEEP),
        (bomb(20, "[*a{0}, *a{0}]"), _MANY),
        (bomb(20, "{{<<: [*a{0}, *a{0}]}}"), _DEEP),
        (b"config: {a: \x00}", "line 1: holds the character U+0000, which YAML does not take; remove it"),
        (b"config:\n  a: caf\xe9", "line 2: is not UTF-8 text; save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), "is over 4 MiB; split the stack, or is it the right file?"),
        (b"config: [a]", "config: must be a mapping of settings; see docs/settings.md"),
        (b"# nothing", "config: must be a mapping of settings; see docs/settings.md"),
        (b"text", "config: must be a mapping of settings; see docs/settings.md"),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else "",
)
def test_what_is_no_yaml_of_settings_is_refused(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_bytes(content)
    [fault] = faults_of(tmp_path / "Pulumi.dev.yaml")
    assert fault.startswith("Pulumi.dev.yaml: ")
    assert line in fault


@pytest.mark.parametrize("content", [b"{}", b"config:", b"\xef\xbb\xbfconfig: {}"])
def test_an_empty_file_has_no_settings(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_bytes(content)
    assert not config_of(tmp_path / "Pulumi.dev.yaml")


def test_a_few_aliases_are_what_they_stand_for(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {a: &a {x: 1}, b: *a, c: {<<: *a, y: 2}}")
    assert config_of(tmp_path / "Pulumi.dev.yaml") == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}


def test_a_file_that_never_ends_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    path.symlink_to("/dev/zero")
    [fault] = faults_of(path)
    assert fault.startswith("Pulumi.dev.yaml: is not a regular file")
    path.unlink()
    os.mkfifo(path)
    [fault] = faults_of(path)
    assert fault.startswith("Pulumi.dev.yaml: is not a regular file")
    path.unlink()
    assert faults_of(path) == ["Pulumi.dev.yaml: cannot be read: No such file or directory"]


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("setting", "faults"),
    [
        ("two\nlines\tand a tab", []),
        ("grüße", []),
        ("\x1b[31mred", ["x: '\\x1b[31mred' holds the character U+001B, which nobody can see; remove it"]),
        ("\u202egnp", ["x: '\\u202egnp' holds the character U+202E, which nobody can see; remove it"]),
        ("\ud800", ["x: '\\ud800' holds the character U+D800, which nobody can see; remove it"]),
        ({"\x07": 1}, ["x: the key '\\x07' holds the character U+0007, which nobody can see; remove it"]),
        ({5: 1}, ["x: the key 5 must be text; write it in quotes"]),
        ({"k" * (LONGEST_KEY + 1): 1}, [f"x: the key {('k' * 239)!r:.240}… is over 512 characters long; shorten it"]),
        (2**63 - 1, []),
        (2**63, ["x: is a number of over 64 bits, which no setting takes; write a smaller"]),
        (float("nan"), ["x: nan is not a number that a setting can hold; write its digits"]),
        (
            b"x",
            ["x: is of YAML's type bytes, which no setting takes; write text, a number, a list or a mapping"],
        ),
        (nested(DEEPEST - 1), []),
        (nested(DEEPEST + 1), [f"x{'[0]' * DEEPEST}: is nested over 30 levels deep; no setting needs ten"]),
        (
            [[0] * 1_000] * (MOST // 1_000),
            [": holds over 200,000 values, each counted as often as an alias names it; split the stack"],
        ),
    ],
    ids=lambda _: "",
)
def test_what_no_setting_may_be_is_refused_before_anything_reads_it(setting: Any, faults: list[str]) -> None:
    try:
        with_shared({"vault-aws:x": setting}, "dev", "F")
        found = []
    except FaultsError as error:
        found = [str(fault).removeprefix("F: ") for fault in error.faults]
    assert found == [fault.removeprefix(": ") for fault in faults]


def test_a_fault_writes_nothing_to_the_terminal_but_its_line() -> None:
    fault = Fault("Pulumi.dev.yaml", "roles.\x1b]0;title\x07", "two\nlines and \u202e")
    assert str(fault) == "Pulumi.dev.yaml: roles.\\u001b]0;title\\u0007: two lines and \\u202e"


def faults_of(path: Path) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        config_of(path)
    return [str(fault) for fault in caught.value.faults]
