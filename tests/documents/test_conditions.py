"""The Condition element."""

from pathlib import Path

import pytest

from tests.documents.samples import check, document, statement

_ALL = (
    "StringEquals, StringNotEquals, StringEqualsIgnoreCase, StringNotEqualsIgnoreCase, StringLike, StringNotLike, "
    "NumericEquals, NumericNotEquals, NumericLessThan, NumericLessThanEquals, NumericGreaterThan, "
    "NumericGreaterThanEquals, DateEquals, DateNotEquals, DateLessThan, DateLessThanEquals, DateGreaterThan, "
    "DateGreaterThanEquals, Bool, BinaryEquals, IpAddress, NotIpAddress, ArnEquals, ArnNotEquals, ArnLike, "
    "ArnNotLike, Null"
)


@pytest.mark.parametrize(
    ("condition", "lines"),
    [
        ("x", [': \'x\' must be an object such as {"Bool": {"aws:SecureTransport": "true"}}']),
        ({}, [": is empty; remove it or name a condition"]),
        (
            {"StringEqual": {"aws:x": "y"}},
            [": 'StringEqual' is not a condition operator; did you mean 'StringEquals'?"],
        ),
        (
            {"ForAnyValue:StringLikes": {"aws:x": "y"}},
            [": 'ForAnyValue:StringLikes' is not a condition operator; did you mean 'ForAnyValue:StringLike'?"],
        ),
        (
            {"StringEqualsIfExist": {"aws:x": "y"}},
            [": 'StringEqualsIfExist' is not a condition operator; did you mean 'StringEqualsIfExists'?"],
        ),
        (
            {"NullIfExists": {"aws:x": "true"}},
            [": 'NullIfExists' is not a condition operator: Null itself asks whether a key exists; write 'Null'"],
        ),
        ({"zzz": {"aws:x": "y"}}, [f": 'zzz' is not a condition operator; the operators are {_ALL}"]),
        ({"Bool": "true"}, [".Bool: 'true' must be an object of condition keys and their values"]),
        ({"Bool": {}}, [".Bool: is empty; remove it or name a condition key"]),
        (
            {"Bool": {"SecureTransport": "true"}},
            [
                ".Bool: 'SecureTransport' is not a condition key; write it as 'service:name', such as 'aws:SourceIp'",
            ],
        ),
        (
            {"StringEquals": {"aws:username": "a", "AWS:UserName": "b"}},
            [
                ".StringEquals: 'aws:username' and 'AWS:UserName' are one key, whose case does not count; "
                "join their values"
            ],
        ),
        ({"StringEquals": {"aws:x": []}}, [".StringEquals.aws:x: is empty; name at least one value"]),
        (
            {"StringEquals": {"aws:x": None}},
            [".StringEquals.aws:x: null must be text, a number, true or false, or a list of these"],
        ),
        (
            {"StringEquals": {"aws:x": ["a", ["b"], {"c": "d"}]}},
            [
                '.StringEquals.aws:x[1]: ["b"] must be text, a number, true or false, or a list of these',
                '.StringEquals.aws:x[2]: {"c": "d"} must be text, a number, true or false, or a list of these',
            ],
        ),
        (
            {"StringEquals": {"aws:RequestTag/cost centre": None}},
            [
                ".StringEquals['aws:RequestTag/cost centre']: null must be text, a number, true or false, "
                "or a list of these"
            ],
        ),
        (
            {"NumericLessThan": {"s3:max-keys": "many"}},
            [".NumericLessThan.s3:max-keys: 'many' is not a number, which NumericLessThan compares with"],
        ),
        (
            {"ForAllValues:NumericEqualsIfExists": {"s3:max-keys": True}},
            [
                ".ForAllValues:NumericEqualsIfExists.s3:max-keys: true is not a number, which "
                "NumericEqualsIfExists compares with"
            ],
        ),
        (
            {"DateLessThan": {"aws:CurrentTime": "tomorrow"}},
            [".DateLessThan.aws:CurrentTime: 'tomorrow' is not a date; write one such as 2030-01-31T00:00:00Z"],
        ),
        (
            {"Bool": {"aws:SecureTransport": "yes"}},
            [".Bool.aws:SecureTransport: 'yes' must be true or false for Bool"],
        ),
        ({"Null": {"aws:x": 1}}, [".Null.aws:x: 1 must be true or false for Null"]),
        (
            {"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "10.0.0.0/33"]}},
            [
                ".NotIpAddress.aws:SourceIp[1]: '10.0.0.0/33' is not an IP address or range; "
                "write one such as 203.0.113.0/24"
            ],
        ),
    ],
)
def test_a_wrong_condition(tmp_path: Path, condition: object, lines: list[str]) -> None:
    found = check(tmp_path, document(statement(Condition=condition)))
    assert found == [f"p.json: Statement[0].Condition{line}" for line in lines]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:username": "ada", "aws:PrincipalTag/cost centre": ["a", "b"]}},
        {"ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["a*"]}, "ForAnyValue:ArnLike": {"aws:x": "arn:aws:*"}},
        {"NumericLessThanEquals": {"s3:max-keys": 10, "aws:MultiFactorAuthAge": ["3600", 2.5, "${aws:x}"]}},
        {"DateGreaterThan": {"aws:CurrentTime": ["2030-01-31T00:00:00Z", "2030-01-31", "2030-01", 1893456000]}},
        {"DateLessThan": {"aws:CurrentTime": ["2030-01-31t00:00:00.123+01:00", "1893456000"]}},
        {"Bool": {"aws:SecureTransport": True}, "Null": {"aws:x": "false"}, "BinaryEquals": {"a:b": "QmluYXJ5"}},
        {"BoolIfExists": {"aws:MultiFactorAuthPresent": "True"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.7", "203.0.113.0/24", "2001:db8::/32"]}},
    ],
)
def test_right_conditions(tmp_path: Path, condition: object) -> None:
    assert check(tmp_path, document(statement(Condition=condition))) == []
