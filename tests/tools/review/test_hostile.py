"""Whatever somebody writes into a file, it stays text in a comment, in a page and in a terminal."""

import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from tests.tools.review.repository import Repository
from tools.review.changes import Change, FieldChange, Review, Verdict
from tools.review.compare import compare
from tools.review.markdown import markdown, unreadable
from tools.review.meaning import Grant, Reach
from tools.review.page import page, unreadable_page
from tools.review.sides import read_sides
from tools.review.terminal import show
from tools.review.words import HEADINGS

HOSTILE = (
    "a | b",
    "a \\| b",
    "`code` ``more``",
    "```\nblock",
    "<script>alert(1)</script>",
    "</details><img src=x onerror=alert(1)>",
    "@everyone and @example/team",
    "[link](https://evil.example) https://evil.example #1",
    "two\nlines\r\n\n# heading",
    "<!-- hidden",
    "&lt;b&gt; &#64;x",
    "right-to-left \u202e and \x1b[31mred",
    "' onmouseover='x",
    '" onmouseover="x',
    "[bold red]markup[/]",
    "",
)
MENTION = re.compile(r"@|https?://|#\d")


def hostile_review(text: str) -> Review:
    reach = Reach((text, f"{text}2"), conditions=(text,))
    grant = Grant((text,), reach, denied=(reach,), elsewhere=(reach,), elsewhere_denied=(reach,))
    change = Change(
        "role",
        text,
        Verdict.CHANGED,
        fields=(FieldChange(text, (text,), (f"{text}!",)), FieldChange("roleArns", (text,), (f"{text}!",))),
        gained=(grant,),
        lost=(replace(grant, actions=tuple(f"{text}{count}" for count in range(20))),),
        findings=(text,),
        findings_gone=(text,),
    )
    return Review("prod", text, text, Verdict.CHANGED, (change,))


def check_markdown(text: str) -> list[str]:
    """Holds that nothing but the review's own is markup; returns what stands as code."""
    parser = MarkdownIt("commonmark").enable("table")
    codes: list[str] = []
    cells = 0
    for token in parser.parse(text):
        assert token.type != "fence"
        cells += token.type in ("td_open", "th_open")
        if token.type == "html_block":
            assert re.fullmatch(r"<details><summary>\d+ lines</summary>|</details>", token.content.strip())
        for child in token.children or ():
            assert child.type in ("text", "code_inline", "text_special")
            if child.type == "code_inline":
                codes.append(child.content)
            else:
                assert not MENTION.search(child.content)
    assert cells % len(HEADINGS) == 0
    return codes


class Page(HTMLParser):
    """Takes a page apart, and holds that there is no tag or attribute but the review's own."""

    TAGS = frozenset(
        [
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "h1",
            "h2",
            "p",
            "div",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "section",
            "ul",
            "li",
            "code",
            "details",
            "summary",
        ]
    )
    ATTRIBUTES = frozenset(
        [
            "lang",
            "charset",
            "http-equiv",
            "content",
            "name",
            "class",
            "scope",
            "id",
            "tabindex",
            "role",
            "aria-labelledby",
        ]
    )

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.codes: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.TAGS
        assert {name for name, _ in attrs} <= self.ATTRIBUTES
        if tag == "code":
            self.codes.append("")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "code":
            self.codes[-1] += data

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")


def on_one_line(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if c in "\u202e\x1b" else c for c in " ".join(text.split())) or "(empty)"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_markdown(text: str) -> None:
    codes = check_markdown(markdown(hostile_review(text)))
    assert codes.count(on_one_line(text)) > 5
    assert check_markdown(unreadable("prod", (text,))) == [on_one_line(text)]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_the_page(text: str) -> None:
    whole = page(hostile_review(text))
    assert Page(whole).codes.count(on_one_line(text)) > 5
    assert Page(unreadable_page("prod", (text,))).codes == [on_one_line(text)] or not text
    assert "default-src 'none'; style-src 'sha256-" in whole


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_the_terminal(text: str) -> None:
    console = Console(file=io.StringIO(), width=400)
    show(hostile_review(text), console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.count(on_one_line(text) if text else "") > 5


def test_what_the_files_can_hold_goes_through_all_of_it(repository: Repository) -> None:
    text = "a|b `c` <script>x</script> @everyone\nnext"
    repository.policies["reports.json"]["Statement"][0]["Condition"] = {"StringEquals": {"s3:prefix": text}}
    repository.stack["vault-aws:roles"]["queues"]["exemptions"][0]["reason"] = " ".join(text.split())
    repository.stack["vault-aws:access"]["releases"]["jwt"]["boundSubject"] = text
    repository.write()
    review = compare(read_sides("prod", "main", repository.folder))
    for codes in (check_markdown(markdown(review)), Page(page(review)).codes):
        for before in ("StringEquals s3:prefix: ", "until 2036-12-31: ", ""):
            assert f"{before}{on_one_line(text)}" in codes


def test_every_free_text_of_the_settings_goes_through_as_code(repository: Repository) -> None:
    text = "a|b `c` <script>x</script> @everyone https://evil.example #1 [bold]x[/bold]"
    stack = repository.stack
    stack["vault-aws:engines"]["aws"]["description"] = f"{text} description"
    stack["vault-aws:audit"] = {
        "devices": {
            "one": {"type": "file", "filePath": "/var/log/`a|b`<x>@everyone", "description": f"{text} device"},
            "two": {"type": "syslog"},
        }
    }
    jwt = stack["vault-aws:access"]["releases"]["jwt"]
    jwt |= {"boundClaims": {f"{text} claim": f"{text} value"}, "userClaim": f"{text} user"}
    del jwt["boundSubject"]
    stack["vault-aws:access"]["people"] = {"roles": ["deploy"], "group": {"mount": "oidc", "alias": f"{text} alias"}}
    stack["vault-aws:roles"]["reports"]["probes"] = {
        "denied": [{"call": "s3:GetObject", "with": {f"{text} key": text}}]
    }
    stack["vault-aws:roles"]["reports"]["policy"] = "a `b` <i>@everyone.json"
    repository.policies["a `b` <i>@everyone.json"] = repository.policies.pop("reports.json")
    repository.write()
    (repository.folder / "policies" / "reports.json").unlink()
    review = compare(read_sides("prod", "main", repository.folder))
    for codes in (check_markdown(markdown(review)), Page(page(review)).codes):
        whole = "\n".join(codes)
        for what in ("device", "claim", "value", "user", "alias"):
            assert f"{text} {what}" in whole, what
    console = Console(file=io.StringIO(), width=4_000, force_terminal=True, color_system=None)
    show(review, console)
    assert isinstance(console.file, io.StringIO)
    assert f"{text} alias" in console.file.getvalue()


def test_a_comment_is_never_longer_than_github_takes() -> None:
    review = hostile_review("x")
    [change] = review.changes
    long = replace(review.changes[0], gained=tuple(replace(change.lost[0], actions=(f"s3:{n}",)) for n in range(200)))
    text = markdown(replace(review, changes=(long,) * 30))
    assert len(text) < 65_536
    assert "`make review STACK=prod` shows them" in text
    check_markdown(text)
    shorter = replace(
        change, gained=(replace(change.lost[0], actions=tuple(f"s3:{'x' * 200}{n}" for n in range(900))),)
    )
    text = markdown(replace(review, changes=(shorter,)))
    assert len(text) < 65_536
    assert text.count("<details>") == text.count("</details>") > 0
    assert "… and" in text
    check_markdown(text)
