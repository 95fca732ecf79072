"""What is said of roles, leases, engines, bindings and Vault's own user, beyond the golden files."""

import shutil
from copy import deepcopy
from typing import Any

import pytest

from documents.stack import POLICY_FOLDER
from tests.tools.review.repository import ACCOUNT, STACK, Repository
from tools.review.changes import Change, Review, Verdict
from tools.review.compare import compare
from tools.review.sides import read_sides

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
PEM = "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n"
BOUNDARY = "boundaries/own.json"


def rebase(repository: Repository) -> None:
    """Makes what is there now the state before the change."""
    repository.write()
    repository.commit()
    repository.git("branch", "-f", "main", "HEAD")


def review(repository: Repository) -> Review:
    repository.write()
    return compare(read_sides("prod", "main", repository.folder))


def of(found: Review, what: str, name: str) -> Change:
    [change] = [change for change in found.changes if (change.what, change.name) == (what, name)]
    return change


def fields(change: Change) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {field.name: (field.gone, field.new) for field in change.fields}


def test_another_mount_replaces_the_roles_and_ends_their_leases(repository: Repository) -> None:
    repository.stack["vault-aws:engines"]["aws"]["path"] = "teams/aws"
    found = review(repository)
    for name in ("reports", "queues", "deploy"):
        change = of(found, "role", name)
        assert change.verdict is Verdict.REPLACED
        assert change.leases == "The mount `aws` goes, and Vault revokes its leases with it."
        assert fields(change)["mount"] == (("aws",), ("teams/aws",))
    assert of(found, "engine", "aws").notes == ("The old mount goes, and Vault revokes its leases with it.",)


def test_a_role_that_moves_to_another_engine_is_replaced_and_its_leases_live_on(repository: Repository) -> None:
    engines = repository.stack["vault-aws:engines"]
    engines["slow"] = deepcopy(engines["aws"])
    for role in repository.stack["vault-aws:roles"].values():
        role["engine"] = "aws"
    repository.stack["vault-aws:roles"]["reports"]["engine"] = "slow"
    found = review(repository)
    assert of(found, "role", "reports").verdict is Verdict.REPLACED
    assert "vault lease revoke -prefix aws/creds/reports" in of(found, "role", "reports").leases
    assert of(found, "role", "queues").verdict is Verdict.SAME
    assert of(found, "Vault's IAM user of engine", "slow").verdict is Verdict.ADDED


def test_another_order_of_role_arns_replaces_nothing(repository: Repository) -> None:
    role = repository.stack["vault-aws:roles"]["deploy"]
    role["roleArns"] = [ROLE, f"{ROLE}-2"]
    rebase(repository)
    role["roleArns"] = [f"{ROLE}-2", ROLE]
    assert review(repository).changed == ()


@pytest.mark.parametrize(
    ("before", "after", "verdict", "note"),
    [
        (
            {"credentialType": "assumed_role", "roleArns": [ROLE]},
            {"credentialType": "session_token"},
            Verdict.REPLACED,
            "No policy narrows its sessions: they have all the rights of Vault's own user",
        ),
        (
            {"credentialType": "assumed_role", "roleArns": [ROLE], "policy": "reports.json"},
            {"credentialType": "assumed_role", "roleArns": [ROLE]},
            Verdict.CHANGED,
            "No policy narrows its sessions: they have all the rights of the IAM roles that it names",
        ),
        (
            {"credentialType": "assumed_role", "roleArns": [ROLE]},
            {"credentialType": "assumed_role", "roleArns": [ROLE], "policy": "reports.json"},
            Verdict.CHANGED,
            "Its sessions had all the rights of what they were made from; what it gains is what is left of these now.",
        ),
        (
            {"credentialType": "iam_user", "policy": "reports.json"},
            {"credentialType": "iam_user", "policy": "reports.json", "policyArns": ["arn:aws:iam::aws:policy/X"]},
            Verdict.CHANGED,
            "What managed policies and groups allow is not in this repository; look them up.",
        ),
        (
            {"credentialType": "iam_user", "policy": "reports.json"},
            {"credentialType": "assumed_role", "roleArns": [ROLE], "policy": "reports.json"},
            Verdict.REPLACED,
            "Its policy narrows what the IAM roles that it names allow",
        ),
    ],
)
def test_what_is_not_in_the_repository_is_said(
    before: Any, after: Any, verdict: Verdict, note: str, repository: Repository
) -> None:
    repository.stack["vault-aws:roles"]["reports"] = before
    rebase(repository)
    repository.stack["vault-aws:roles"]["reports"] = after
    change = of(review(repository), "role", "reports")
    assert change.verdict is verdict
    assert any(text.startswith(note) for text in change.notes), change.notes


def test_another_boundary_or_lease_time_of_a_role_is_a_change(repository: Repository) -> None:
    roles = repository.stack["vault-aws:roles"]
    roles["reports"]["permissionsBoundary"] = f"arn:aws:iam::{ACCOUNT}:policy/own"
    roles["deploy"]["maxStsTtl"] = "2h"
    found = review(repository)
    assert fields(of(found, "role", "reports"))["permissionsBoundary"] == (
        (f"arn:aws:iam::{ACCOUNT}:policy/landing-zone/boundary",),
        (f"arn:aws:iam::{ACCOUNT}:policy/own",),
    )
    assert "keep the rights" in of(found, "role", "reports").leases
    assert fields(of(found, "role", "deploy")) == {"maxStsTtl": (("4h",), ("2h",))}
    assert of(found, "role", "deploy").leases == ""
    making = of(found, "Vault's IAM user of engine", "aws").gained
    assert [grant.actions for grant in making] == [("iam:CreateUser", "iam:PutUserPolicy")]
    assert "policy/own" in making[0].reach.conditions[0]


def test_the_document_of_a_boundary_is_compared_by_its_meaning(repository: Repository) -> None:
    shutil.copytree(POLICY_FOLDER / "boundaries", repository.folder / "policies" / "boundaries")
    never = {"Effect": "Deny", "Action": ["iam:*", "organizations:*", "account:*", "sts:*"], "Resource": "*"}
    allowed = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}
    whole: dict[str, Any] = {"Version": "2012-10-17", "Statement": [allowed, never]}
    repository.policies[BOUNDARY] = whole
    repository.stack["vault-aws:engines"]["aws"]["permissionsBoundary"] = BOUNDARY
    rebase(repository)
    repository.policies[BOUNDARY] = {**whole, "Statement": [never, {**whole["Statement"][0], "Action": ["s3:get*"]}]}
    assert review(repository).changed == ()
    whole["Statement"][0]["Action"] = ["s3:Get*", "s3:PutObject"]
    repository.policies[BOUNDARY] = whole
    [change] = review(repository).changed
    assert (change.what, [grant.actions for grant in change.gained]) == (
        "permissions boundary of engine",
        [("s3:PutObject",)],
    )
    assert "at once" in change.notes[1]
    repository.stack["vault-aws:engines"]["aws"] = deepcopy(STACK["vault-aws:engines"]["aws"])
    change = of(review(repository), "permissions boundary of engine", "aws")
    assert (change.gained, change.lost) == ((), ())
    assert "look it up" in change.notes[-1]


def test_static_roles_are_replaced_with_their_period(repository: Repository) -> None:
    role = {"userName": "legacy", "rotationPeriod": "24h"}
    repository.stack["vault-aws:staticRoles"] = {"legacy": role}
    change = of(review(repository), "static role", "legacy")
    assert (change.verdict, fields(change)["rotationPeriod"]) == (Verdict.ADDED, ((), ("24h",)))
    rebase(repository)
    assert review(repository).changed == ()
    role["rotationPeriod"] = "12h"
    change = of(review(repository), "static role", "legacy")
    assert (change.verdict, change.leases) == (Verdict.REPLACED, "The user's key is replaced at once.")
    del repository.stack["vault-aws:staticRoles"]
    assert of(review(repository), "static role", "legacy").leases == "Vault deletes the user's key; the IAM user stays."


def test_who_proves_who_a_caller_is_is_part_of_it(repository: Repository) -> None:
    method = {"type": "jwt", "boundIssuer": "https://a.example", "validationPublicKeys": [PEM.format("AAAA")]}
    repository.stack["vault-aws:authMethods"]["jwt"] = method
    rebase(repository)
    method["validationPublicKeys"] = [PEM.format("BBBB")]
    change = of(review(repository), "auth method", "jwt")
    [(gone, new)] = fields(change).values()
    assert gone != new
    assert new[0].startswith("PEM, SHA-256 ")


def test_the_rotation_and_names_of_vaults_user_come_with_what_they_take(repository: Repository) -> None:
    engine = repository.stack["vault-aws:engines"]["aws"]
    engine["rotation"] = "vault"
    change = of(review(repository), "Vault's IAM user of engine", "aws")
    assert change.verdict is Verdict.REPLACED
    assert "destroy it and make it anew" in change.notes[0]
    assert [grant.reach.resources[0].split("/")[1] for grant in change.gained] == ["vault"]
    engine["rotation"] = "stack"
    engine["vaultUser"] = {"path": "/other/"}
    notes = of(review(repository), "Vault's IAM user of engine", "aws").notes
    assert [note.split(":")[0] for note in notes] == ["Apply it when no lease lives"]
    engine["vaultUser"] = {"name": "another"}
    assert of(review(repository), "Vault's IAM user of engine", "aws").verdict is Verdict.REPLACED


def test_tags_that_look_alike_are_told_apart(repository: Repository) -> None:
    role = repository.stack["vault-aws:roles"]["reports"]
    role["tags"] = {"cost_center": "1", "costCenter": "2"}
    rebase(repository)
    role["tags"] = {"cost_center": "3", "costCenter": "2"}
    assert fields(of(review(repository), "role", "reports")) == {"tags.cost_center": (("1",), ("3",))}


def test_the_lists_of_an_engine_that_goes(repository: Repository) -> None:
    engines = repository.stack["vault-aws:engines"]
    engines["slow"] = deepcopy(engines["aws"])
    for role in repository.stack["vault-aws:roles"].values():
        role["engine"] = "aws"
    repository.stack["vault-aws:roles"]["reports"]["engine"] = "slow"
    rebase(repository)
    del engines["slow"]
    del repository.stack["vault-aws:roles"]["reports"]
    repository.stack["vault-aws:access"]["reporting"]["roles"] = ["queues"]
    found = review(repository)
    assert of(found, "role", "reports").leases == "The mount `slow` goes, and Vault revokes its leases with it."
    assert of(found, "engine", "slow").verdict is Verdict.REMOVED
    assert of(found, "Vault's IAM user of engine", "slow").lost
