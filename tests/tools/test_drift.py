"""How drift is read from Pulumi's own output, and how it is told."""

import argparse
import io
import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tools.__main__ import main
from tools.drift.command import DRIFT, tell
from tools.drift.findings import NOT_APPLIED, Finding
from tools.drift.report import as_json, markdown, show
from tools.drift.state import State
from tools.drift.steps import changed_by_hand, not_applied
from tools.errors import ToolError
from tools.pulumi_stack import PulumiStack

USER = "secrets-engine-dev-aws"
ARN = f"arn:aws:iam::123456789012:user/vault/{USER}"
ROLE = "vault:aws/secretBackendRole:SecretBackendRole"


@dataclass(frozen=True)
class Told(PulumiStack):
    """A stack of which Pulumi has told something already."""

    told: str = ""
    status: int = 0

    def run(self, *words: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, self.status, self.told, "no backend\n")


def pulumi(*steps: dict[str, Any], status: int = 0, **more: Any) -> Told:
    return Told("dev", told=json.dumps({"steps": steps, "diagnostics": [], **more}), status=status)


def resource(kind: str, name: str, /, **properties: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:dev::vault-aws::{kind}::{name}"
    return {"urn": urn, "custom": True, "id": name, "type": kind, "inputs": properties, "outputs": properties}


def step(op: str, old: dict[str, Any] | None, new: dict[str, Any] | None, *paths: str) -> dict[str, Any]:
    diff = {path: {"kind": "update"} for path in paths}
    return {"op": op, "urn": "", "oldState": old, "newState": new, "detailedDiff": diff or None}


def role(**properties: Any) -> dict[str, Any]:
    return resource(ROLE, "reader-role", backend="aws", name="reader", **properties)


def test_a_property_that_differs_in_many_places_is_one_finding() -> None:
    old, new = role(iamTags={"team": "a", "b": "c"}), role(iamTags={"team": "x"})
    [found] = changed_by_hand(pulumi(step("update", old, new, "iamTags.team", 'iamTags["b"]')))
    assert (found.title, found.where, found.cause) == ("role reader: iamTags", "aws/roles/reader", "by hand")
    assert found.shown() == ('{"team": "a", "b": "c"}', '{"team": "x"}')


def test_settings_that_are_not_applied_are_new_against_old() -> None:
    old, new = role(maxStsTtl=3600, userPath="/"), role(maxStsTtl=7200, userPath="/x/")
    steps = [
        step("replace", old, new, "maxStsTtl"),
        step("create-replacement", old, new, "maxStsTtl"),
        step("delete-replaced", old, None),
        step("create", None, role()),
        step("delete", role(), None),
        step("same", role(), role()),
        step("update", old, new) | {"diffReasons": ["userPath"]},
    ]
    found = not_applied(pulumi(*steps))
    assert [(one.title, one.declared, one.actual) for one in found] == [
        ("role reader: maxStsTtl", 7200, 3600),
        ("role reader", "to be made", "none"),
        ("role reader", "to be deleted", "there"),
        ("role reader: userPath", "/x/", "/"),
    ]
    assert {one.cause for one in found} == {NOT_APPLIED}


def test_secrets_and_what_only_an_update_knows_have_words() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    old, new = role(a="[secret]", b=["x"]), role(a="[secret]", b=[unknown])
    found = not_applied(pulumi(step("update", old, new, "a", "b")))
    assert [(one.declared, one.actual) for one in found] == [
        ("(secret)", "(secret)"),
        ("(known after the update)", ["x"]),
    ]


def test_a_thing_without_a_table_entry_stands_at_its_arn_or_id() -> None:
    topic = resource("aws:sns/topic:Topic", "alarm", arn="arn:aws:sns:us-west-2:123456789012:alarm", tags={})
    other = resource("aws:sns/topicSubscription:TopicSubscription", "mail", tags={})
    assert [(one.what, one.where) for one in changed_by_hand(pulumi(step("delete", topic, None)))] == [
        ("Topic alarm", "arn:aws:sns:us-west-2:123456789012:alarm")
    ]
    assert [(one.what, one.where) for one in changed_by_hand(pulumi(step("delete", other, None)))] == [
        ("TopicSubscription mail", "mail")
    ]


def test_components_providers_and_a_dead_seed_are_no_drift() -> None:
    key = resource("aws:iam/accessKey:AccessKey", "AKIASEED", user=USER) | {"retainOnDelete": True}
    part = {**role(), "custom": False}
    provider = resource("pulumi:providers:aws", "default", region="us-west-2")
    steps = [step("delete", key, None), step("update", part, part, "x"), step("update", provider, provider, "region")]
    assert not_applied(pulumi(*steps)) == []
    assert changed_by_hand(pulumi(*steps)) == []
    [found] = not_applied(pulumi(step("delete", {**key, "retainOnDelete": False}, None)))
    assert found.declared == "to be deleted"


@pytest.mark.parametrize(
    ("stack", "reason"),
    [
        (
            pulumi(diagnostics=[{"severity": "error", "message": "error: no\n  rights"}]),
            "pulumi preview: error: no rights",
        ),
        (pulumi(status=255), "pulumi preview: no backend"),
        (Told("dev", told="not JSON"), "pulumi preview: no backend"),
        (Told("dev", told="{}"), "pulumi preview: no backend"),
    ],
)
def test_what_pulumi_could_not_compare_is_an_error(stack: Told, reason: str) -> None:
    with pytest.raises(ToolError) as error:
        not_applied(stack)
    assert str(error.value) == f"nothing was changed, and not all was compared: {reason}"


def exported(*resources: dict[str, Any], **more: Any) -> str:
    outputs = {"mounts": {"aws": "aws"}, "vaultUsers": {"aws": ARN}}
    stack = {"urn": "urn:pulumi:dev::vault-aws::pulumi:pulumi:Stack::dev", "type": "pulumi:pulumi:Stack"}
    return json.dumps({"deployment": {"resources": [{**stack, "outputs": outputs}, *resources], **more}})


def test_a_state_in_the_middle_of_a_rotation() -> None:
    key = "aws:iam/accessKey:AccessKey"
    state = State.of(
        exported(
            resource("vault:aws/secretBackend:SecretBackend", "aws", path="aws", defaultLeaseTtlSeconds=60),
            resource("aws:iam/user:User", USER, arn=ARN),
            resource(key, "AKIAOLD", user=USER) | {"delete": True},
            resource(key, "AKIANEW", user=USER),
            resource(key, "AKIAOTHER", user="someone-else"),
            resource("aws:iam/userPolicyAttachment:UserPolicyAttachment", "one", user=USER, policyArn="arn:p"),
            role(),
            pending_operations=[{"type": "creating", "resource": {"urn": "urn:pulumi:dev::vault-aws::x::aws-key-3"}}],
        ),
        "dev",
    )
    [engine] = state.engines
    assert (engine.keys, engine.former_keys, engine.vault_rotates) == (("AKIANEW",), ("AKIAOLD",), False)
    assert (set(engine.policies), engine.user_name) == ({"arn:p"}, USER)
    assert state.role_paths == {"aws/roles/reader"}
    assert state.unfinished == ("creating aws-key-3",)


@pytest.mark.parametrize("text", ["{}", '{"deployment": {}}', '{"deployment": {"resources": null}}'])
def test_a_stack_that_was_never_updated_is_an_error(text: str) -> None:
    with pytest.raises(ToolError, match="no update of the stack dev has ended yet; run `make up STACK=dev`"):
        State.of(text, "dev")


HOSTILE = "`mine` | @everyone [link](http://x) [red]\n<b>"
FINDING = Finding(
    "role reader", "policyDocument", "aws/roles/reader", ["a"], ["a", HOSTILE], mend="make x STACK={stack}"
)


def test_a_table_names_everything_and_takes_no_markup() -> None:
    console = Console(file=io.StringIO(), width=200)
    show("dev", [FINDING, replace(FINDING, cause=NOT_APPLIED)], console)
    text = console.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO above
    assert text.startswith("Drift in stack dev: 1 by hand, 1 not applied")
    for word in (
        "role reader: policyDocument",
        "aws/roles/reader",
        "none",
        "[red]",
        "not applied",
        "  make x STACK=dev",
    ):
        assert word in text


def test_markdown_is_a_table_whose_cells_are_code() -> None:
    lines = markdown("dev", [FINDING]).splitlines()
    assert lines[0] == "# Drift in stack dev: 1 by hand"
    assert lines[4] == (
        "| `role reader: policyDocument` | `aws/roles/reader` | `none` | "
        "`` `mine` \\| @everyone [link](http://x) [red] <b> `` | `by hand` |"
    )
    assert lines[-1] == "- `role reader: policyDocument`: `make x STACK=dev`"


def test_markdown_fits_into_an_issue_and_cells_into_a_table() -> None:
    many = [replace(FINDING, where=f"aws/roles/{number}", actual="x" * 1000) for number in range(300)]
    text = markdown("dev", many)
    assert len(text) < 65_536
    assert text.endswith("More than an issue holds; `make drift STACK=dev` shows all.\n")
    assert f"{'x' * 400}… (1000 characters; JSON=1 shows all)" in text
    assert json.loads(as_json("dev", many))["drift"][0]["actual"] == "x" * 1000


@pytest.mark.parametrize(
    ("declared", "actual", "shown"),
    [
        ('{"a": 1, "b": {"c": [1, 2]}}', '{"a": 1, "b": {"c": [2, 3]}}', ('{"b": {"c": [1]}}', '{"b": {"c": [3]}}')),
        (["x", "y"], ["y"], ("x", "none")),
        ("path {", "{}", ("path {", "none")),
        ('{"a": 1}', "path {}", ('{"a": 1}', "path {}")),
        ("{not json", "{nor this", ("{not json", "{nor this")),
        (None, False, ("none", "false")),
        (1, 2, ("1", "2")),
    ],
)
def test_only_what_differs_is_shown(declared: Any, actual: Any, shown: tuple[str, str]) -> None:
    assert Finding("x", "", "y", declared, actual).shown() == shown


def test_the_exit_status_says_whether_there_is_drift(tmp_path: Path) -> None:
    console = Console(file=io.StringIO())
    options = argparse.Namespace(json=True, markdown=tmp_path / "new" / "drift.md")
    assert (tell("dev", [], options, console), tell("dev", [FINDING], options, console)) == (0, DRIFT)
    assert options.markdown.read_text() == markdown("dev", [FINDING])
    options.markdown = tmp_path
    with pytest.raises(ToolError, match=r"cannot be written: Is a directory; name another with MARKDOWN=…"):
        tell("dev", [], options, console)


def test_a_wrong_option_is_an_error_and_no_drift(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["drift", "--stock", "prod"])
    assert ended.value.code == 1
    assert "unrecognized arguments: --stock" in capsys.readouterr().err
