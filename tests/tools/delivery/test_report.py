"""Reports on GitHub: written once, then kept up to date."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.delivery.github import FakeGitHub
from tools.delivery.__main__ import main
from tools.delivery.report import LONGEST, GitHub, with_mark


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    with FakeGitHub().running() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


def test_a_comment_is_updated_in_place(github: FakeGitHub, tmp_path: Path) -> None:
    for number in range(150):
        github.comments[number + 1] = {"id": number + 1, "body": "by people, <!-- vault-aws: dev -->"}
    review, preview = tmp_path / "review.md", tmp_path / "preview.md"
    review.write_text("# Access\n")
    preview.write_text("Preview\n")
    words = ["comment", "--pull-request", "7", "--key", "dev", str(review), str(preview)]
    assert main(words) == 0
    assert github.comments[151] == {"id": 151, "body": "<!-- vault-aws: dev -->\n# Access\n\n\nPreview\n"}
    review.write_text("# No change\n")
    assert main(words) == 0
    assert main([*words[:4], "prod", str(review)]) == 0
    assert [github.comments[number]["body"].splitlines()[:2] for number in (151, 152)] == [
        ["<!-- vault-aws: dev -->", "# No change"],
        ["<!-- vault-aws: prod -->", "# No change"],
    ]
    assert len(github.comments) == 152


def test_an_issue_is_opened_updated_closed_and_opened_again(github: FakeGitHub, tmp_path: Path) -> None:
    github.issues[1] = {"number": 1, "body": None}
    github.issues[2] = {"number": 2, "body": "<!-- vault-aws: drift-dev -->", "pull_request": {}}
    file = tmp_path / "drift.md"
    words = ["issue", "--key", "drift-dev", "--title", "Drift in stack dev"]
    assert main(words) == 0
    file.write_text("one")
    assert main([*words, str(file)]) == 0
    file.write_text("two")
    assert main([*words, str(file)]) == 0
    assert github.issues[3]["body"] == "<!-- vault-aws: drift-dev -->\ntwo"
    assert main(words) == 0
    assert github.issues[3]["state"] == "closed"
    assert main([*words, str(file)]) == 0
    assert sorted(github.issues) == [1, 2, 3, 4]


def test_a_long_text_is_cut_at_a_line_and_says_so() -> None:
    text = with_mark("dev", "0123456789\n" * 10_000)
    assert LONGEST - 20 < len(text) <= LONGEST
    assert "0123456789\n\nThe rest did not fit" in text.replace("\n\n\n", "\n\n")


def test_refusals_name_the_permission_and_never_the_token(
    github: FakeGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    github.refuses = True
    file = tmp_path / "a.md"
    file.write_text("a")
    words = ["comment", "--pull-request", "7", "--key", "dev"]
    assert main([*words, str(file)]) == 1
    assert "with 403; the job needs the permission `pull-requests: write`" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    assert main([*words, str(file)]) == 1
    said = capsys.readouterr().err
    assert "GitHub does not answer at http://127.0.0.1:1/repos/example/vault-aws/issues/7/comments" in said
    assert "a-token" not in said
    assert main([*words, str(tmp_path / "none.md")]) == 1
    assert "none.md cannot be read: No such file" in capsys.readouterr().err
    monkeypatch.delenv("GITHUB_TOKEN")
    assert main([*words, str(file)]) == 1
    assert capsys.readouterr().err == "GITHUB_TOKEN must be set, as GitHub's jobs have it\n"


def test_the_client_sends_its_token_to_the_repository_alone(github: FakeGitHub) -> None:
    GitHub(github.environ).comment(7, "dev", "text")
    assert {path.split("/issues")[0] for _, path in github.asked} == {"/repos/example/vault-aws"}
