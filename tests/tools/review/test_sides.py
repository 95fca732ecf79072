"""The two sides of a change: which commit it began at, and what is said where a side cannot be read."""

import argparse
import io
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from tests.tools.review.repository import Repository
from tools.errors import ToolError
from tools.review.changes import Change, Review, Verdict
from tools.review.command import run
from tools.review.compare import compare
from tools.review.sides import UnreadableError, read_sides


def review(repository: Repository, stack: str = "prod", base: str = "main") -> Review:
    return compare(read_sides(stack, base, repository.folder))


def change(found: Review, what: str, name: str) -> Change:
    [one] = [one for one in found.changes if (one.what, one.name) == (what, name)]
    return one


def arguments(stack: str = "prod", base: str = "main", **files: Path) -> argparse.Namespace:
    return argparse.Namespace(stack=stack, base=base, **{"markdown": None, "html": None, **files})


def test_without_a_change_every_role_stands_there_unchanged(repository: Repository) -> None:
    found = review(repository)
    assert found.changed == ()
    assert {(one.what, one.name) for one in found.changes} == {
        ("role", name) for name in ("deploy", "queues", "reports")
    }


def test_what_others_merged_since_is_no_part_of_the_change(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    del repository.stack["vault-aws:roles"]["queues"]
    repository.write()
    repository.commit()
    repository.git("checkout", "-q", "change")
    assert review(repository).changed == ()


def test_committed_and_uncommitted_changes_both_count(repository: Repository) -> None:
    repository.policies["reports.json"]["Statement"][0]["Action"] = "s3:ListBucketVersions"
    repository.write()
    repository.commit()
    repository.stack["vault-aws:protect"] = True
    repository.write()
    found = review(repository)
    assert [(one.what, one.name) for one in found.changed] == [("role", "reports"), ("stack", "prod")]


def test_a_new_stack_is_added_whole(repository: Repository) -> None:
    repository.text((repository.folder / "Pulumi.prod.yaml").read_text(), "qa")
    found = review(repository, "qa")
    assert found.verdict is Verdict.ADDED
    assert {one.verdict for one in found.changes} == {Verdict.ADDED}
    assert change(found, "role", "reports").gained
    assert change(found, "Vault's IAM user of engine", "aws").gained


def test_a_stack_that_goes_is_removed_whole(repository: Repository) -> None:
    (repository.folder / "Pulumi.prod.yaml").unlink()
    found = review(repository)
    assert {one.verdict for one in found.changes} == {Verdict.REMOVED}
    assert "make down STACK=prod" in change(found, "stack", "prod").notes[0]
    assert "ends nothing" in change(found, "role", "reports").leases


def test_the_shared_file_of_each_side_is_read(repository: Repository) -> None:
    shared = repository.folder / "shared-settings.yaml"
    shared.write_text("config: {vault-aws:alarm: {topicName: first}}")
    repository.stack["vault-aws:shared"] = "shared-settings.yaml"
    repository.write()
    repository.commit()
    repository.git("branch", "-f", "main", "HEAD")
    shared.write_text("config: {vault-aws:alarm: {topicName: second}}")
    [field] = change(review(repository), "stack", "prod").fields
    assert (field.name, field.gone, field.new) == ("alarm.topicName", ("first",), ("second",))


def test_an_exemption_that_held_when_the_change_began_stops_no_review(repository: Repository) -> None:
    exemption = repository.stack["vault-aws:roles"]["queues"]["exemptions"][0]
    exemption["expires"] = "2020-03-31"
    repository.write()
    repository.git("add", "-A")
    day = {"GIT_COMMITTER_DATE": "2020-03-31T12:00:00Z", "GIT_AUTHOR_DATE": "2020-03-31T12:00:00Z"}
    repository.git("commit", "-q", "-m", "then", env=day)
    repository.git("branch", "-f", "main", "HEAD")
    exemption["expires"] = "2036-12-31"
    repository.write()
    [field] = change(review(repository), "role", "queues").fields
    assert field.name == "exemption from wildcard-action"
    assert [text.split(":")[0] for text in (*field.gone, *field.new)] == ["until 2020-03-31", "until 2036-12-31"]
    exemption["expires"] = "2020-03-31"
    repository.write()
    with pytest.raises(UnreadableError, match=r"the working tree: Pulumi\.prod\.yaml: roles\.queues\.exemptions\[0\]"):
        read_sides("prod", "main", repository.folder, today=date(2020, 4, 1))


def test_faults_are_said_with_their_side_file_and_field_and_stand_in_the_files(repository: Repository) -> None:
    repository.stack["vault-aws:roles"]["reports"]["policy"] = "missing.json"
    repository.write()
    with pytest.raises(UnreadableError) as caught:
        run(arguments(), Console(file=io.StringIO()), repository.folder)
    first, fault = str(caught.value).splitlines()
    assert first == "nothing can be said of the change; mend these first:"
    assert fault.startswith("the working tree: policies/missing.json (role reports): there is no such file")
    for name in ("prod.md", "prod.html"):
        text = (repository.folder / ".review" / name).read_text()
        assert "Access in stack prod: not known" in text
        assert "policies/missing.json (role reports)" in text


def test_faults_of_where_the_change_began_name_the_commit(repository: Repository) -> None:
    repository.text("config: [")
    repository.commit()
    repository.git("branch", "-f", "main", "HEAD")
    repository.write()
    with pytest.raises(UnreadableError, match=r"\nmain \([0-9a-f]{12}\): Pulumi\.prod\.yaml: line 1"):
        review(repository)


@pytest.mark.parametrize(
    ("stack", "base", "message"),
    [
        ("none", "main", r"STACK=none: there is no Pulumi\.none\.yaml in main .* the stacks are prod$"),
        ("../prod", "main", r"STACK=\.\./prod: is not a stack's name"),
        ("prod", "gone", r"BASE=gone: git has no such branch, tag or commit here; name one, or fetch it first"),
        ("prod", "--output=x", r"BASE=--output=x: git has no such branch"),
        ("prod", "", r"BASE=: git has no such branch"),
        ("prod", "main:policies", r"BASE=main:policies: git has no such branch"),
    ],
)
def test_what_is_not_there_is_named(stack: str, base: str, message: str, repository: Repository) -> None:
    with pytest.raises(ToolError, match=message):
        review(repository, stack, base)


def test_a_history_without_a_common_commit_is_named(repository: Repository) -> None:
    repository.git("checkout", "-q", "--orphan", "alone")
    repository.text("config: {}", "other")
    repository.commit()
    with pytest.raises(ToolError, match="git knows no commit from which both it and HEAD come; fetch the history"):
        review(repository)


def test_a_link_in_a_commit_leads_nowhere(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.json"
    outside.write_text("{}")
    (repository.folder / "policies" / "reports.json").unlink()
    (repository.folder / "policies" / "reports.json").symlink_to(outside)
    repository.commit()
    repository.git("branch", "-f", "main", "HEAD")
    with pytest.raises(ToolError, match=r"the files of main \([0-9a-f]{12}\) cannot be unpacked: .*reports\.json"):
        review(repository)


def test_the_command_shows_a_table_and_writes_two_files(repository: Repository, tmp_path: Path) -> None:
    repository.stack["vault-aws:protect"] = True
    repository.write()
    console = Console(file=io.StringIO(), width=160)
    page = tmp_path / "elsewhere" / "page.html"
    assert run(arguments(html=page), console, repository.folder) == 0
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().startswith("Access in stack prod: 1 changed. Compared with main at commit ")
    assert (repository.folder / ".review" / "prod.md").read_text().startswith("# Access in stack prod: 1 changed\n")
    assert "<h1>Access in stack prod: 1 changed</h1>" in page.read_text()


def test_a_file_that_cannot_be_written_is_named(repository: Repository) -> None:
    with pytest.raises(ToolError, match=r"cannot be written: .*; name another with MARKDOWN=…"):
        run(arguments(markdown=repository.folder), Console(file=io.StringIO()), repository.folder)
