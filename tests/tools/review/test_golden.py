"""What the reviewer reads, whole, for each kind of change.

A change of the words is made with `REVIEW_GOLDEN=write pytest tests/tools/review/test_golden.py`, which writes the
files and fails: read the difference, and run it again without.
"""

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.tools.review.repository import ACCOUNT, Repository
from tools.review.changes import Review
from tools.review.compare import compare
from tools.review.markdown import markdown
from tools.review.page import page
from tools.review.sides import read_sides
from tools.review.terminal import show

GOLDEN = Path(__file__).parent / "golden"


def new_role(repository: Repository) -> None:
    repository.policies["invoices.json"] = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::invoices/*"}],
    }
    repository.stack["vault-aws:roles"]["invoices"] = {"credentialType": "iam_user", "policy": "invoices.json"}
    repository.stack["vault-aws:access"]["reporting"]["roles"].append("invoices")


def widened_action(repository: Repository) -> None:
    repository.policies["queues.json"]["Statement"][0]["Action"] = "sqs:*"
    repository.stack["vault-aws:roles"]["queues"]["exemptions"][0]["findings"] += ["data-exposure"]


def narrowed_resource(repository: Repository) -> None:
    repository.policies["reports.json"]["Statement"][1]["Resource"] = "arn:aws:s3:::reports/2026/*"


def removed_role(repository: Repository) -> None:
    del repository.stack["vault-aws:roles"]["reports"]
    repository.stack["vault-aws:access"]["reporting"]["roles"] = ["queues"]


def changed_trust(repository: Repository) -> None:
    role = repository.stack["vault-aws:roles"]["deploy"]
    role["roleArns"] = [f"arn:aws:iam::{ACCOUNT}:role/deploy-orders", f"arn:aws:iam::{ACCOUNT}:role/deploy-billing"]


def reformatting_only(repository: Repository) -> None:
    listing, reading = repository.policies["reports.json"]["Statement"]
    one = {**reading, "Sid": "Current", "Action": "s3:getObject"}
    other = {"Resource": [reading["Resource"], "arn:aws:s3:::reports/2026/*"], "Action": ["s3:GetObjectVersion"]}
    statements = [one, {"Effect": "Allow", **other}, {**listing, "Action": ["s3:ListBucket"]}]
    repository.policies["reports.json"] = {"Statement": statements, "Version": "2012-10-17"}
    repository.stack["vault-aws:roles"]["reports"]["probes"] = {"denied": [{"call": "iam:ListUsers"}]}


def bindings(repository: Repository) -> None:
    access = repository.stack["vault-aws:access"]
    access["reporting"]["roles"] = ["queues"]
    access["releases"]["jwt"]["boundSubject"] = "repo:example/billing:ref:main"
    access["platform"] = {"operatorOf": ["aws"], "roles": ["deploy"], "group": {"mount": "oidc", "alias": "platform"}}


def vault_user(repository: Repository) -> None:
    repository.stack["vault-aws:roles"]["reports"]["groups"] = ["readers"]
    repository.stack["vault-aws:engines"]["aws"]["vaultUser"] = {"keyGeneration": 2, "keyMade": "2026-11-24"}


def everything(repository: Repository) -> None:
    for change in (new_role, widened_action, narrowed_resource, changed_trust, vault_user):
        change(repository)
    repository.stack["vault-aws:protect"] = True


CASES = (
    new_role,
    widened_action,
    narrowed_resource,
    removed_role,
    changed_trust,
    reformatting_only,
    bindings,
    vault_user,
    everything,
)


def reviewed(repository: Repository) -> Review:
    repository.write()
    # A commit's name depends on its time.
    return compare(replace(read_sides("prod", "main", repository.folder), commit="0123456789ab"))


def terminal(review: Review) -> str:
    console = Console(file=io.StringIO(), width=160)
    show(review, console)
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def hold(name: str, text: str) -> None:
    file = GOLDEN / name
    if os.environ.get("REVIEW_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            pytest.fail(f"{name} is written anew; read the difference, and run without REVIEW_GOLDEN")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_markdown(case: Callable[[Repository], None], repository: Repository) -> None:
    case(repository)
    hold(f"{case.__name__}.md", markdown(reviewed(repository)))


@pytest.mark.parametrize(("suffix", "render"), [("html", page), ("txt", terminal)])
def test_other_renderings(suffix: str, render: Callable[[Review], str], repository: Repository) -> None:
    everything(repository)
    hold(f"everything.{suffix}", render(reviewed(repository)))
