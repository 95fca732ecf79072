"""Whoever chooses a word, it stays one: on the terminal, in Markdown, in a shell, in HCL, in a policy."""

import io
import json
import re
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from documents.stack import read_stack
from settings.audit import Audit, require_devices
from settings.faults import FaultsError
from settings.load import from_values
from tests.tools.review.repository import Repository
from tests.tools.review.test_hostile import HOSTILE
from tools import environments
from tools.audit import Answer, Auditor
from tools.audit_log import Ending, Log, Request
from tools.audit_report import show as show_audit
from tools.check import stack_faults
from tools.code_spans import printable
from tools.delivery.preview import page
from tools.delivery.report import with_mark
from tools.delivery.stacks import changed_stacks
from tools.drift.findings import Finding
from tools.drift.iam_side import user_findings
from tools.drift.report import markdown as drift_markdown
from tools.drift.report import show as show_drift
from tools.drift.vault_side import tune_findings
from tools.errors import ToolError
from tools.verify import Outcome
from tools.verify import show as show_outcomes

UNSEEN = re.compile(r"[^\S \n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
TEXTS = (*HOSTILE, "\x1b]0;title\x07", "\x9b2J", "\ud800", "a\rb", "\u2028", "[red]x[/red]", "[link=file:///]x[/link]")
hostile = pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))


def console() -> tuple[Console, io.StringIO]:
    """A terminal, and what was written to it; with colours, whose codes are the console's own."""
    file = io.StringIO()
    return Console(file=file, width=4_000, force_terminal=True, color_system=None), file


def check_terminal(file: io.StringIO, text: str, times: int) -> None:
    """Holds that the text can be read, and does nothing else."""
    shown = file.getvalue()
    assert not UNSEEN.search(shown), repr(shown)
    assert shown.count(printable(" ".join(text.split()))) >= times


def request_of(text: str) -> Request:
    return Request(
        time="2026-12-01T10:00:00Z",
        mount=text,
        role=text,
        path=text,
        display_name=text,
        entity=text,
        metadata={text: text},
        address=text,
        token_hash="",
        accessor_hash="",
        lease=text,
        key_hash="",
        arn_hash="",
        refused=text,
        login=text,
        ending=Ending("2026-12-01T11:00:00Z", text, text, text),
    )


@hostile
def test_whoever_logs_in_writes_nothing_to_the_auditors_terminal(text: str) -> None:
    # The display name and metadata of a login are chosen by the caller, and by who issues its token.
    auditor = cast("Auditor", SimpleNamespace(log=Log([]), notes=[f"note {text}"], device="first"))
    terminal, file = console()
    answers = [Answer(request_of(text), f"revoked by {text}", text)]
    assert show_audit(answers, auditor, terminal, as_json=False)
    check_terminal(file, text, 8)
    terminal, file = console()
    assert show_audit(answers, auditor, terminal, as_json=True)
    assert file.getvalue().isascii()
    assert json.loads(file.getvalue())["requests"][0]["metadata"] == {text: text}


@hostile
def test_whoever_changed_something_writes_nothing_to_the_terminal_or_the_issue(text: str) -> None:
    findings = [Finding(f"role {text}", text, text, text, [text, "b"], mend=f"vault delete {shlex.quote(text)}")]
    terminal, file = console()
    show_drift("dev", findings, terminal)
    check_terminal(file, text, 3)
    written = drift_markdown("dev", findings)
    tokens = MarkdownIt("commonmark").enable("table").parse(written)
    assert not [token for token in tokens if token.type in {"html_block", "fence"}]
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "code_inline", "text_special"}
    assert sum(token.type == "tr_open" for token in tokens) == 1 + len(findings)


@hostile
def test_what_vault_and_aws_answer_writes_nothing_to_the_terminal(text: str) -> None:
    terminal, file = console()
    show_outcomes([Outcome(text, text, text, [f"may {text}"], text, f"AccessDenied: {text}")], terminal)
    check_terminal(file, text, 5)


@hostile
def test_a_message_writes_nothing_to_the_terminal_but_its_lines(text: str) -> None:
    assert not UNSEEN.search(printable(f"one\n  {text}"))
    assert printable("two\n  lines, indented") == "two\n  lines, indented"


SHELL = (
    "a b",
    "$(touch owned)",
    "`touch owned`",
    "; touch owned;",
    "'; touch owned; '",
    '"; touch owned; "',
    "-rf",
    "*",
)


@pytest.mark.parametrize("name", SHELL)
def test_the_ways_to_mend_are_safe_to_paste(tmp_path: Path, name: str) -> None:
    engine = SimpleNamespace(
        name="aws",
        path=name,
        user_arn=f"arn:aws:iam::123456789012:user/{name}",
        user_name=name,
        vault_rotates=False,
        keys=(),
        former_keys=(),
        policies=frozenset(),
    )
    found = list(user_findings(Iam(name), cast("Any", engine), None, timedelta.max))
    found += tune_findings("mount", f"sys/mounts/{name}", {"config": {name: name, "b": 1}}, set())
    commands = {finding.mend_of(name) for finding in found if finding.mend.startswith(("aws ", "vault "))}
    assert len(commands) == 7
    for command in commands:
        # A shell takes it apart as it was put together, and runs nothing else.
        done = subprocess.run(
            ["sh", "-c", f'aws() {{ printf \'%s\\n\' "$@"; }}; vault() {{ aws "$@"; }}; {command}'],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert (
            name in done.stdout.replace(f"sys/mounts/{name}/tune", name).replace(f"{name}=", f"{name}\n").splitlines()
        )
    assert list(tmp_path.iterdir()) == []


DAY = datetime(2026, 12, 1, tzinfo=UTC)


class Iam:
    """IAM, in which everything about a user has one name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def list_access_keys(self, **_: str) -> dict[str, Any]:
        return {"AccessKeyMetadata": [{"AccessKeyId": self._name, "Status": "Active", "CreateDate": DAY}]}

    def list_user_policies(self, **_: str) -> dict[str, Any]:
        return {"PolicyNames": [self._name]}

    def list_groups_for_user(self, **_: str) -> dict[str, Any]:
        return {"Groups": [{"GroupName": self._name, "Arn": self._name}]}

    def list_attached_user_policies(self, **_: str) -> dict[str, Any]:
        return {"AttachedPolicies": [{"PolicyArn": self._name}]}

    def get_login_profile(self, **_: str) -> dict[str, Any]:
        return {"LoginProfile": {"CreateDate": DAY}}


@pytest.mark.parametrize("path", ["/var/log/$(id).log", '/var/"log', "/var/`id`", "/var/${env.HOME}%{x}", "/var/'log"])
def test_how_to_declare_a_device_is_safe_to_paste(path: str) -> None:
    audit = Audit.model_validate({"devices": {"first": {"type": "file", "filePath": path, "managed": False}}})
    with pytest.raises(FaultsError) as caught:
        require_devices(audit, {}, "Pulumi.dev.yaml")
    message = caught.value.faults[0].message
    [command] = re.findall(r"`(vault audit enable .*)`; on OpenBao", message)
    assert shlex.split(command)[-1] == f"file_path={path}"
    [options] = re.findall(r"options = \{ file_path = (.*) \} \}`, then", message)
    assert json.loads(options).replace("$${", "${").replace("%%{", "%{") == path
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", options)


STACK: dict[str, Any] = {
    "aws:region": "us-east-1",
    "aws:allowedAccountIds": ["333344445555"],
    "vault-aws:roles": {"deploy": {"credentialType": "assumed_role", "roleArns": ["arn:aws:iam::333344445555:role/d"]}},
}


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip() and text.isprintable()])
def test_the_table_of_environments_holds_what_it_shows_as_code(text: str) -> None:
    stack = STACK | {
        "vault:address": f"https://vault.example.com/{text}",
        "vault-aws:vault": {"clusterName": text},
        "vault-aws:access": {
            "jobs": {"roles": ["deploy"], "jwt": {"boundAudiences": ["v"], "boundSubject": text.replace("*", "")}},
            "people": {"roles": ["deploy"], "group": {"mount": "oidc", "alias": text.replace("*", "")}},
        },
    }
    documents = read_stack(stack, "dev")
    written = environments.table({"dev": (f"https://vault.example.com/{text}", documents)})
    tokens = MarkdownIt("commonmark").enable("table").parse(written)
    rows = written.splitlines()[2:]
    assert sum(token.type == "td_open" for token in tokens) == 2 * len(rows)
    for token in tokens:
        for child in token.children or ():
            assert child.type in {"text", "code_inline", "text_special"}
            if child.type != "code_inline":
                assert text not in child.content or text in "a"
    codes = [child.content for token in tokens for child in token.children or () if child.type == "code_inline"]
    assert codes.count(text) == 3
    assert f"https://vault.example.com/{text}" in codes or text == "[link](https://evil.example)"


@hostile
def test_a_preview_leaves_neither_its_block_nor_its_summary(text: str) -> None:
    written = page(text, f"+ create {text}", failed=False)
    tokens = MarkdownIt("commonmark").parse(written)
    assert [token.type for token in tokens] == ["html_block", "fence", "html_block"]
    assert tokens[0].content.count("<") == 3
    assert tokens[2].content == "</details>\n"


@pytest.mark.parametrize("name", ["a b", "$(id)", "<img src=x>", "a`b", "\x1b[31m", "é", "x" * 101, "a\nb"])
def test_a_file_whose_name_is_no_stacks_is_refused_wherever_names_are_read(tmp_path: Path, name: str) -> None:
    repository = Repository(tmp_path)
    file = tmp_path / f"Pulumi.{name}.yaml"
    file.write_text("config: {}")
    repository.commit()
    with pytest.raises(FaultsError, match="names no stack; write letters, digits") as caught:
        changed_stacks("main", tmp_path)
    assert str(caught.value).isprintable()
    assert str(next(iter(stack_faults([file])))) == str(caught.value)
    with pytest.raises(FaultsError, match="names no stack"):
        environments.read_all(tmp_path)


def test_a_base_is_no_option_of_git(tmp_path: Path) -> None:
    Repository(tmp_path)
    with pytest.raises(ToolError, match="base '--output=owned'"):
        changed_stacks("--output=owned", tmp_path)
    assert not list(tmp_path.glob("owned*"))


@pytest.mark.parametrize("key", ["a --> <b>", "a\nb", "", "é"])
def test_a_reports_mark_is_never_closed_by_its_key(key: str) -> None:
    with pytest.raises(ToolError, match="cannot mark a report"):
        with_mark(key, "text")


@pytest.mark.parametrize("path", ["/*/", "/a?/", "/vault/*"])
@pytest.mark.parametrize("place", ["role", "user", "static"])
def test_a_path_is_no_pattern_of_a_policy(path: str, place: str) -> None:
    role = {"credentialType": "iam_user", "groups": ["g"]}
    config: dict[str, Any] = {"aws:region": "us-west-2", "vault-aws:roles": {"r": role}}
    if place == "role":
        role["userPath"] = path
    elif place == "user":
        config["vault-aws:engines"] = {"aws": {"vaultUser": {"path": path}}}
    else:
        config["vault-aws:staticRoles"] = {"s": {"userName": "u", "userPath": path, "rotationPeriod": "1h"}}
    with pytest.raises(FaultsError, match=r"holds a wildcard|is not an IAM path"):
        from_values(config, "dev", "Pulumi.dev.yaml")


def test_brackets_of_a_path_hide_nobody_from_vault() -> None:
    config = {
        "aws:region": "us-west-2",
        "vault-aws:engines": {"aws": {"vaultUser": {"path": "/[ab]/", "name": "vault-own"}}},
        "vault-aws:roles": {"r": {"credentialType": "iam_user", "groups": ["g"], "userPath": "/[ab]/"}},
    }
    with pytest.raises(FaultsError, match="Vault could edit itself"):
        from_values(config, "dev", "Pulumi.dev.yaml")
