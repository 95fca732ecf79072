"""Placeholders: what is filled, what passes through, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.placeholders import fill, placeholder_faults
from settings.place import PLACEHOLDERS
from tests.documents.samples import check, document, statement, unhurried

VALUES = {"account": "123456789012", "partition": "aws-cn", "region": "eu-west-1", "environment": "dev"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("arn:${partition}:sqs:${region}:${account}:${environment}-*", "arn:aws-cn:sqs:eu-west-1:123456789012:dev-*"),
        ("${account}${account}", "123456789012123456789012"),
        ("${aws:username}/${environment}", "${aws:username}/dev"),
        ("${aws:PrincipalTag/team, 'none'}", "${aws:PrincipalTag/team, 'none'}"),
        ("${aws:PrincipalTag/team, 'a}${account}'}", "${aws:PrincipalTag/team, 'a}${account}'}"),
        ("${*}${?}${$}{account}", "${*}${?}${$}{account}"),
        ("$account $ {account} costs $5", "$account $ {account} costs $5"),
    ],
)
def test_only_our_own_placeholders_are_filled(text: str, filled: str) -> None:
    given_document = {"Statement": [{"Resource": [text], "Condition": {"StringLike": {"aws:x": text}}}]}
    if "${account}'" not in text:
        assert list(placeholder_faults(given_document)) == []
    assert fill(given_document, VALUES) == {
        "Statement": [{"Resource": [filled], "Condition": {"StringLike": {"aws:x": filled}}}]
    }


def test_a_value_cannot_change_the_structure_nor_be_filled_again() -> None:
    evil = '"},{"Effect":"Allow","x":"${account}'
    assert fill({"Id": "${environment}"}, {**VALUES, "environment": evil}) == {"Id": evil}


def test_other_values_stay_as_they_are() -> None:
    assert fill({"a": [1, True, None, 2.5]}, VALUES) == {"a": [1, True, None, 2.5]}


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "arn:aws:s3:::${acount}/*",
            "'${acount}' is not a placeholder; did you mean '${account}'? "
            "(AWS's own variables have a colon: ${aws:username})",
        ),
        (
            "arn:aws:s3:::${Environment}/*",
            "'${Environment}' is not a placeholder; did you mean '${environment}'? "
            "(AWS's own variables have a colon: ${aws:username})",
        ),
        (
            "arn:aws:s3:::${}",
            "'${}' is not a placeholder; it may be one of: ${account}, ${environment}, ${partition}, ${region} "
            "(AWS's own variables have a colon: ${aws:username})",
        ),
        (
            "arn:${partion}:s3:::${partion}",
            "'${partion}' is not a placeholder; did you mean '${partition}'? "
            "(AWS's own variables have a colon: ${aws:username})",
        ),
        ("arn:aws:s3:::${account/*", "'${account/*' is not closed; write '}' after the name"),
        ("arn:aws:s3:::${", "'${' is not closed; write '}' after the name"),
        ("arn:aws:s3:::${account-${region}", "'${account-${region}' is not closed; write '}' after the name"),
        ("arn:aws:s3:::${aws:${account}}", "'${aws:${account}' is not closed; write '}' after the name"),
    ],
)
def test_a_wrong_placeholder_is_named_once(tmp_path: Path, resource: str, message: str) -> None:
    lines = check(tmp_path, document(statement(Resource=[resource, "*"])))
    assert lines == [f"p.json: Statement[0].Resource[0]: {message}"]


def test_a_placeholder_in_a_key_is_refused(tmp_path: Path) -> None:
    lines = check(
        tmp_path, document(statement(Condition={"StringEquals": {"aws:RequestTag/${environment}": "${region}"}}))
    )
    assert lines == [
        "p.json: Statement[0].Condition.StringEquals: the key 'aws:RequestTag/${environment}' holds '${', "
        "and only values are filled in; write the key in full"
    ]


def test_a_placeholder_in_an_action_is_refused(tmp_path: Path) -> None:
    assert check(tmp_path, document(statement(Action="s3:${environment}"))) == [
        "p.json: Statement[0].Action: 's3:${environment}' is not of the form service:Name; "
        "write one such as 's3:GetObject', or '*'"
    ]


def test_a_missing_value_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError, match="region"):
        fill({"Id": "${region}"}, {})


_pieces = st.sampled_from(["${account}", "${region}", "${aws:username}", "${*}", "{", "}", "$", "'", "x", "${", "acc"])


@unhurried()
@given(st.lists(_pieces, max_size=8).map("".join))
def test_what_has_no_fault_is_filled_whole(text: str) -> None:
    if not list(placeholder_faults({"Id": text})):
        filled = fill({"Id": text}, VALUES)["Id"]
        assert not any(f"${{{name}}}" in filled for name in PLACEHOLDERS)
        assert filled.count("${aws:username}") == text.count("${aws:username}")
