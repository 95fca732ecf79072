"""What an update is made of, from what its preview said."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import update as updating
from tools.pulumi_stack import PulumiStack
from tools.update import MANY, OF_A_ROLE, Change, Planned, Scope, read_events

ROLE, POLICY = "vault:aws/secretBackendRole:SecretBackendRole", "vault:index/policy:Policy"
USER, MOUNT = "aws:iam/user:User", "vault:aws/secretBackend:SecretBackend"


def changes(type_: str, operation: str = "create", count: int = MANY) -> list[Change]:
    return [Change(f"urn:pulumi:dev::vault-aws::{type_}::{number}", type_, operation) for number in range(count)]


@pytest.mark.parametrize(
    ("scope", "new", "undecided"),
    [
        (Scope(standing=0, roles=MANY // OF_A_ROLE - 1), False, False),
        (Scope(standing=0, roles=MANY // OF_A_ROLE), True, False),
        (Scope(standing=1, roles=MANY // OF_A_ROLE), False, True),
        (Scope(standing=MANY, roles=0), False, True),
        (Scope(standing=MANY - 1, roles=0), False, False),
    ],
)
def test_a_preview_decides_where_neither_state_nor_settings_do(scope: Scope, new: bool, undecided: bool) -> None:
    assert (scope.new, scope.undecided) == (new, undecided)


def test_the_scope_is_of_what_the_state_holds_and_the_settings_declare() -> None:
    recorded = [{"urn": "a", "type": ROLE}, {"urn": "b", "type": USER}, {"urn": "c", "type": POLICY}]
    assert Scope.of(recorded, {"vault-aws:roles": {"reader": {}}}) == Scope(standing=2, roles=1)
    # What is wrong with them the program says, in words of its own.
    assert Scope.of([], {"vault-aws:roles": 5}) == Scope(standing=0, roles=0)


def test_many_roles_come_after_all_that_must_be_recorded() -> None:
    others = [*changes(USER, count=1), *changes(MOUNT, "update", count=1)]
    assert Planned([*others, *changes(ROLE), *changes(POLICY)], outputs_change=True).first == [
        change.urn for change in others
    ]
    assert Planned(changes(ROLE, "delete"), outputs_change=True).first == []


def test_approles_come_last_with_checkpoints_of_their_own() -> None:
    logins = changes("vault:appRole/authBackendRole:AuthBackendRole", count=1)
    planned = Planned([*changes(USER, count=1), *changes(ROLE), *logins], outputs_change=True)
    assert (planned.first, planned.last) == ([change.urn for change in changes(USER, count=1)], [logins[0].urn])


def test_what_only_goes_goes_with_the_rest() -> None:
    key = changes("aws:iam/accessKey:AccessKey", "delete", count=1)
    assert Planned([*changes(MOUNT, "update", count=1), *key], outputs_change=True).first == [
        change.urn for change in changes(MOUNT, count=1)
    ]


@pytest.mark.parametrize("operation", ["replace", "create-replacement", "delete-replaced"])
def test_what_replaces_something_that_must_be_recorded_keeps_its_checkpoints(operation: str) -> None:
    assert Planned([*changes(ROLE), *changes(MOUNT, operation, count=1)], outputs_change=True).first is None


def test_a_preview_is_read_from_its_events(tmp_path: Path) -> None:
    log = tmp_path / "events.json"

    def step(event: str, type_: str, operation: str, **states: Any) -> dict[str, Any]:
        return {event: {"metadata": {"urn": f"urn:{type_}", "type": type_, "op": operation, **states}}}

    stack = "pulumi:pulumi:Stack"
    events = [
        {"preludeEvent": {"config": {}}},
        step("resourcePreEvent", stack, "same"),
        step("resourcePreEvent", ROLE, "create"),
        step("resourcePreEvent", POLICY, "same"),
        step("resOutputsEvent", ROLE, "create", old=None, new={"outputs": {"id": "x"}}),
        step("resOutputsEvent", stack, "same", old={"outputs": {"roles": {}}}, new={"outputs": {"roles": {}}}),
    ]
    log.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    assert read_events(log) == Planned([Change(f"urn:{ROLE}", ROLE, "create")], outputs_change=False)
    events.append(step("resOutputsEvent", stack, "same", old=None, new={"outputs": {"roles": {"a": "x"}}}))
    log.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    assert read_events(log).outputs_change


def test_every_repeatable_type_is_one_that_the_program_declares() -> None:
    project = Path(updating.__file__).parent.parent
    sources = "".join(path.read_text() for path in (project / "components").glob("*.py"))
    for type_ in updating.REPEATABLE | updating.LAST:
        if type_.startswith("vault-aws:"):
            assert f'"{type_}"' in sources


class PreviewedStack(PulumiStack):
    """A stack without Pulumi: its preview tells of a mount, roles and a login, and what it is asked is kept."""

    asked: list[tuple[str, ...]] = []

    def run(self, *words: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        assert not capture
        self.asked.append(words)
        if words[0] == "preview":
            login = changes("vault:appRole/authBackendRole:AuthBackendRole", count=1)
            steps = [
                {"resourcePreEvent": {"metadata": {"urn": change.urn, "type": change.type, "op": change.operation}}}
                for change in [*changes(MOUNT, "update", count=1), *changes(ROLE), *login]
            ]
            Path(words[-1]).write_text("".join(f"{json.dumps(step)}\n" for step in steps))
        return subprocess.CompletedProcess(words, 0)


@pytest.mark.parametrize(("standing", "steps"), [(MANY, 3), (0, 2)])
def test_whatever_is_previewed_is_done_under_the_eyes_of_the_policy_pack(standing: int, steps: int) -> None:
    PreviewedStack.asked.clear()
    scope = Scope(standing=standing, roles=MANY)
    assert updating.update(PreviewedStack("dev", env={}), updating.GUARDED, lambda: True, scope) == 0
    preview, *updates = PreviewedStack.asked
    assert preview[0] == "preview"
    assert [words[0] for words in updates] == ["up"] * steps
    assert all(" ".join(updating.GUARDED) in " ".join(words) for words in PreviewedStack.asked)
