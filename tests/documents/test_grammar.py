"""The grammar of an identity policy, element by element."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from documents.canonical import canonical
from documents.grammar import grammar_faults
from documents.placeholders import fill, placeholder_faults
from tests.documents.samples import check, document, documents, statement, unhurried


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (
            {},
            [
                'Version is missing; write "Version": "2012-10-17"',
                "Statement is missing; write a list of statements",
            ],
        ),
        (
            {"version": "2012-10-17", "Statements": []},
            [
                "'version' is not an element of a policy document; did you mean 'Version'?",
                "'Statements' is not an element of a policy document; did you mean 'Statement'?",
            ],
        ),
        (
            document(Effect="Allow"),
            ["'Effect' is not an element of a policy document; it may be one of: Id, Statement, Version"],
        ),
        (
            document(Version="2008-10-17"),
            ["Version: '2008-10-17' does not understand policy variables such as ${aws:username}; write '2012-10-17'"],
        ),
        (
            document(Version="2012-10-18"),
            ["Version: '2012-10-18' is not a version of the policy language; write '2012-10-17'"],
        ),
        (document(Version=2012), ["Version: 2012 is not a version of the policy language; write '2012-10-17'"]),
        (document(Id=5), ["Id: 5 must be text"]),
        (document(Id="any text"), []),
        (document(Statement=[]), ["Statement: is empty; write at least one statement"]),
        (document(Statement=statement()), []),
        (
            document(Statement="Allow"),
            ["Statement: 'Allow' must be a statement: an object with Effect, Action and Resource"],
        ),
        (
            document(statement(), []),
            ["Statement[1]: [] must be a statement: an object with Effect, Action and Resource"],
        ),
        (
            document(Statement=statement(Effect="allow")),
            ["Statement.Effect: 'allow' must be 'Allow' or 'Deny', spelt so"],
        ),
    ],
)
def test_the_document(tmp_path: Path, content: object, lines: list[str]) -> None:
    assert check(tmp_path, content) == [f"p.json: {line}" for line in lines]


@pytest.mark.parametrize(
    ("elements", "lines"),
    [
        ({"Effct": "Allow", "Effect": None}, [": 'Effct' is not an element of a statement; did you mean 'Effect'?"]),
        (
            {"Resources": "*", "Resource": None},
            [": 'Resources' is not an element of a statement; did you mean 'Resource'?"],
        ),
        (
            {"Qwerty": 1},
            [
                ": 'Qwerty' is not an element of a statement; it may be one of: Action, Condition, Effect, "
                "NotAction, NotResource, Resource, Sid"
            ],
        ),
        ({"Effect": None}, [": Effect is missing; write 'Allow' or 'Deny'"]),
        ({"Effect": "allow"}, [".Effect: 'allow' must be 'Allow' or 'Deny', spelt so"]),
        ({"Effect": ["Allow"]}, [".Effect: [\"Allow\"] must be 'Allow' or 'Deny', spelt so"]),
        ({"Effect": "Deny"}, []),
        ({"Sid": 5}, [".Sid: 5 must be text"]),
        ({"Sid": "my sid"}, [".Sid: 'my sid' must have letters (A to Z, a to z) and digits only"]),
        ({"Sid": "é"}, [".Sid: 'é' must have letters (A to Z, a to z) and digits only"]),
        ({"Sid": "Read1"}, []),
        ({"NotAction": "s3:PutObject"}, [": has both Action and NotAction; keep one of them"]),
        ({"Action": None}, [": has neither Action nor NotAction; write one of them"]),
        ({"Action": None, "NotAction": "s3:*"}, []),
        ({"NotResource": "*"}, [": has both Resource and NotResource; keep one of them"]),
        ({"Resource": None}, [": has neither Resource nor NotResource; write one of them"]),
        ({"Resource": None, "NotResource": "*"}, []),
        (
            {"Principal": "*"},
            [
                ": Principal belongs in a trust or resource policy; an identity policy speaks of whoever holds it, "
                "so remove it"
            ],
        ),
        (
            {"NotPrincipal": {"AWS": "*"}},
            [
                ": NotPrincipal belongs in a trust or resource policy; an identity policy speaks of whoever holds it, "
                "so remove it"
            ],
        ),
        ({"Action": []}, [".Action: is empty; name at least one action"]),
        ({"Action": 5}, [".Action: 5 must be text or a list of texts"]),
        ({"Action": ["*", None]}, [".Action[1]: null must be text or a list of texts"]),
        ({"Action": "*"}, []),
        (
            {"Action": "GetObject"},
            [".Action: 'GetObject' is not of the form service:Name; write one such as 's3:GetObject', or '*'"],
        ),
        (
            {"NotAction": ["*:*"], "Action": None},
            [".NotAction[0]: '*:*' is not of the form service:Name; write one such as 's3:GetObject', or '*'"],
        ),
        (
            {"Action": "s3:Get Object"},
            [".Action: 's3:Get Object' is not of the form service:Name; write one such as 's3:GetObject', or '*'"],
        ),
        ({"Resource": []}, [".Resource: is empty; name at least one resource"]),
        ({"Resource": {"a": "*"}}, ['.Resource: {"a": "*"} must be text or a list of texts']),
    ],
)
def test_a_statement(tmp_path: Path, elements: dict[str, Any], lines: list[str]) -> None:
    assert check(tmp_path, document(statement(**elements))) == [f"p.json: Statement[0]{line}" for line in lines]


def test_a_sid_stands_once(tmp_path: Path) -> None:
    assert check(tmp_path, document(statement(Sid="A"), statement(Sid="B"), statement(Sid="A"))) == [
        "p.json: Statement[2].Sid: 'A' is the Sid of Statement[0] too; give each statement its own"
    ]


def test_empty_sids_may_repeat(tmp_path: Path) -> None:
    assert check(tmp_path, document(statement(Sid=""), statement(Sid="", Effect="Deny"))) == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            document(Id="naïve — no"),
            "Id: 'naïve — no' has the character U+2014; IAM takes tabs, line ends and U+0020 to U+00FF in a policy",
        ),
        (
            document(Id="a\0"),
            "Id: 'a\\x00' has the character U+0000; IAM takes tabs, line ends and U+0020 to U+00FF in a policy",
        ),
        (
            document(statement(Condition={"StringEquals": {"aws:ResourceTag/\ud800": "x"}})),
            "Statement[0].Condition.StringEquals: the key 'aws:ResourceTag/\\ud800' has the character U+D800; "
            "IAM takes tabs, line ends and U+0020 to U+00FF in a policy",
        ),
    ],
)
def test_characters_that_iam_does_not_take(tmp_path: Path, content: object, line: str) -> None:
    assert check(tmp_path, content) == [f"p.json: {line}"]


def test_faults_come_in_the_order_of_their_places(tmp_path: Path) -> None:
    lines = check(tmp_path, document(*[statement(Effect="x") for _ in range(11)], Id=5))
    assert [line.split(": ")[1] for line in lines] == ["Id", *(f"Statement[{n}].Effect" for n in range(11))]


def test_long_values_are_cut(tmp_path: Path) -> None:
    assert check(tmp_path, document(Version="x" * 1000)) == [
        f"p.json: Version: '{'x' * 119}… is not a version of the policy language; write '2012-10-17'"
    ]


def test_aws_own_managed_policies_keep_the_grammar() -> None:
    """Fifteen hundred real documents: what AWS itself writes must not be called wrong."""
    wrong = {
        (name, place)
        for name, policy in json.loads(aws_managed_policies_data).items()
        for place, _ in (*placeholder_faults(policy["Document"]), *grammar_faults(policy["Document"]))
    }
    # Its ARN ends after the account, and so names nothing.
    assert wrong == {("AmazonDevOpsGuruOrganizationsAccess", "Statement[1].Resource")}


@unhurried()
@given(documents())
def test_what_keeps_the_grammar_is_taken_by_an_independent_validator(content: dict[str, Any]) -> None:
    assert list(grammar_faults(content)) == []
    values = {"account": "123456789012", "partition": "aws", "environment": "dev"}
    IAMPolicyDocumentValidator(canonical(fill(content, values))).validate()
