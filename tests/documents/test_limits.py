"""AWS's limits on the size of a policy."""

import json

import pytest

from documents.limits import (
    INLINE_POLICY_LIMIT,
    MANAGED_POLICY_LIMIT,
    SESSION_POLICY_LIMIT,
    SizeLimit,
    size_fault,
    size_of,
)


def _text(size: int) -> str:
    return json.dumps({"Id": "x" * (size - len('{"Id":""}'))}, indent=8)


def test_white_space_between_parts_does_not_count() -> None:
    assert size_of('{ "Id" :\n\t"a b" }') == len('{"Id":"a b"}')


def test_a_character_beyond_ascii_counts_once_however_it_is_written() -> None:
    assert size_of('{"Id":"é"}') == size_of('{"Id":"\\u00e9"}') == len('{"Id":"e"}')


@pytest.mark.parametrize(
    ("limit", "size", "message"),
    [
        (
            INLINE_POLICY_LIMIT,
            2048,
            "has 2,049 characters, and AWS takes 2,048 in all inline policies of an IAM user; shorten it with "
            "wildcards or by joining statements, or move a part into a managed policy that policyArns names "
            "(6,144 characters each)",
        ),
        (
            SESSION_POLICY_LIMIT,
            2048,
            "has 2,049 characters, and AWS takes 2,048 in a session policy; shorten it with wildcards or by "
            "joining statements, or move a part into a managed policy that policyArns names",
        ),
        (
            MANAGED_POLICY_LIMIT,
            6144,
            "has 6,145 characters, and AWS takes 6,144 in a managed policy; shorten it with wildcards or by "
            "joining statements, or split it in two policies",
        ),
    ],
)
def test_a_policy_over_its_limit(limit: SizeLimit, size: int, message: str) -> None:
    assert size_fault(_text(size), limit) is None
    assert size_fault(_text(size + 1), limit) == message


def test_a_limit_is_a_number_too() -> None:
    assert f"{INLINE_POLICY_LIMIT}" == "2048"
    assert size_of(_text(2049)) > INLINE_POLICY_LIMIT
