"""Policy documents for tests: a good one to break, a way to check one, and any number of random ones."""

import json
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from documents.policy import check_policy


def statement(**elements: object) -> dict[str, Any]:
    """A right statement with some elements replaced; `None` removes one."""
    whole = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **elements}
    return {element: value for element, value in whole.items() if value is not None}


def document(*statements: object, **elements: object) -> dict[str, Any]:
    """A right document with these statements, or with one of its own."""
    return {"Version": "2012-10-17", "Statement": list(statements or [statement()]), **elements}


def check(folder: Path, content: object) -> list[str]:
    """Writes a file (JSON, or bytes as they are) and returns the lines that its check would print."""
    file = folder / "p.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return [str(fault) for fault in check_policy(file, "p.json")]


def unhurried(examples: int = 100) -> settings:
    """So many examples, with no limit on the time of each: a busy machine must not fail a test."""
    return settings(max_examples=examples, deadline=None)


ACTIONS = ("*", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "iam:GetUser", "sts:GetCallerIdentity")
RESOURCES = (
    "*",
    "arn:aws:s3:::data",
    "arn:aws:s3:::data/*",
    "arn:${partition}:s3:::${environment}-${account}/${aws:username}/*",
    "arn:aws:iam::${account}:user/ada",
)
SCALARS = ("alpha", "beta", "${aws:username}", "true", "5", 5, True, False, 2.5)


def _one_or_many(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    value = st.sampled_from(values)
    return value | st.lists(value, min_size=1, max_size=4)


_conditions = st.dictionaries(
    st.sampled_from(("StringEquals", "StringLike", "ForAnyValue:StringLike", "StringNotEqualsIfExists")),
    st.dictionaries(
        st.sampled_from(("aws:username", "aws:PrincipalTag/team", "s3:prefix")),
        _one_or_many(SCALARS),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    """Right statements without a Sid."""
    elements = {
        "Effect": draw(st.sampled_from(("Allow", "Deny"))),
        draw(st.sampled_from(("Action", "NotAction"))): draw(_one_or_many(ACTIONS)),
        draw(st.sampled_from(("Resource", "NotResource"))): draw(_one_or_many(RESOURCES)),
    }
    if draw(st.booleans()):
        elements["Condition"] = draw(_conditions)
    return elements


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Right policy documents."""
    some = draw(st.lists(statements(), min_size=1, max_size=4))
    for number, one in enumerate(some):
        if draw(st.booleans()):
            one["Sid"] = f"S{number}"
    whole: dict[str, Any] = {"Version": "2012-10-17", "Statement": some}
    if len(some) == 1 and draw(st.booleans()):
        whole["Statement"] = some[0]
    if draw(st.booleans()):
        whole["Id"] = "one"
    return whole
