"""The canonical form: what makes no difference, and that nothing else is lost."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.canonical import canonical
from documents.evaluation import Request, evaluate
from documents.grammar import grammar_faults
from documents.placeholders import fill
from tests.documents.samples import document, documents, statement, unhurried


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _meaning(content: dict[str, Any]) -> object:
    """What a document says, with sets where AWS reads sets."""

    def of_statement(one: dict[str, Any]) -> object:
        plain = {(name, one[name]) for name in ("Sid", "Effect") if name in one}
        sets = {
            (name, frozenset(_as_list(one[name])))
            for name in ("Action", "NotAction", "Resource", "NotResource")
            if name in one
        }
        conditions = {
            (operator, key, frozenset(map(_as_text, _as_list(values))))
            for operator, keys in one.get("Condition", {}).items()
            for key, values in keys.items()
        }
        return frozenset(plain), frozenset(sets), frozenset(conditions)

    return content["Version"], content.get("Id"), frozenset(map(of_statement, _as_list(content["Statement"])))


def _shuffled(value: Any, dice: random.Random) -> Any:
    """The same document written differently: order, repetitions, one or a list of one, numbers as text."""
    if isinstance(value, dict):
        items = [(key, _shuffled(child, dice)) for key, child in value.items()]
        dice.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        members = [_shuffled(child, dice) for child in value]
        with_sid = any(isinstance(member, dict) and "Sid" in member for member in members)
        if dice.random() < 0.5 and not with_sid:
            members.append(dice.choice(members))
        dice.shuffle(members)
        return members[0] if len(members) == 1 and dice.random() < 0.5 else members
    return value


def _rewritten(content: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    whole = json.loads(json.dumps(content))
    for one in _as_list(whole["Statement"]):
        for name in ("Action", "NotAction", "Resource", "NotResource"):
            if isinstance(one.get(name), str) and dice.random() < 0.5:
                one[name] = [one[name]]
        for keys in one.get("Condition", {}).values():
            for key, values in keys.items():
                keys[key] = [_as_text(item) if dice.random() < 0.5 else item for item in _as_list(values)]
    if isinstance(whole["Statement"], dict) and dice.random() < 0.5:
        whole["Statement"] = [whole["Statement"]]
    shuffled: dict[str, Any] = _shuffled(whole, dice)
    return shuffled


@unhurried()
@given(documents(), st.randoms(use_true_random=False))
def test_another_way_of_writing_makes_no_difference(content: dict[str, Any], dice: random.Random) -> None:
    assert canonical(_rewritten(content, dice)) == canonical(content)


@unhurried()
@given(documents())
def test_the_canonical_form_is_its_own(content: dict[str, Any]) -> None:
    assert canonical(json.loads(canonical(content))) == canonical(content)


@unhurried()
@given(documents())
def test_it_keeps_the_grammar_and_the_meaning(content: dict[str, Any]) -> None:
    read_back = json.loads(canonical(content))
    assert list(grammar_faults(read_back)) == []
    assert _meaning(read_back) == _meaning(content)


@unhurried()
@given(documents(), documents())
def test_documents_of_different_meaning_stay_different(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (canonical(one) == canonical(other)) == (_meaning(one) == _meaning(other))


_contexts = st.dictionaries(
    st.sampled_from(("aws:username", "aws:PrincipalTag/team", "s3:prefix")),
    st.sampled_from(("alpha", "beta", "true", "5", "2.5")),
)


@unhurried()
@given(
    documents(),
    st.sampled_from(("s3:GetObject", "s3:PutObject", "iam:GetUser", "sts:GetCallerIdentity")),
    st.sampled_from(("*", "arn:aws:s3:::data", "arn:aws:s3:::data/a", "arn:aws:s3:::dev-123456789012/alpha/a")),
    _contexts,
)
def test_every_request_is_decided_the_same(
    content: dict[str, Any], action: str, resource: str, context: dict[str, str]
) -> None:
    filled = fill(content, {"account": "123456789012", "partition": "aws", "environment": "dev"})
    request = Request(action, resource, context)
    assert evaluate(request, identity=[json.loads(canonical(filled))]) is evaluate(request, identity=[filled])


def test_how_it_reads() -> None:
    content = {
        "Statement": {
            "Condition": {
                "StringEquals": {"aws:username": ["b", "a", "b"]},
                "Bool": {"aws:SecureTransport": True},
                "NumericLessThan": {"s3:max-keys": [10, "10", 2.5]},
            },
            "Resource": ["arn:aws:s3:::é", "*"],
            "Action": ["s3:GetObject"],
            "Effect": "Allow",
            "Sid": "Read",
        },
        "Id": "one",
        "Version": "2012-10-17",
    }
    assert canonical(content) == (
        '{"Version":"2012-10-17","Id":"one","Statement":[{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject",'
        '"Resource":["*","arn:aws:s3:::é"],"Condition":{"Bool":{"aws:SecureTransport":"true"},'
        '"NumericLessThan":{"s3:max-keys":["10","2.5"]},"StringEquals":{"aws:username":["a","b"]}}}]}'
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (statement(Effect="Allow"), statement(Effect="Deny")),
        (statement(Action="s3:GetObject"), statement(Action="s3:getobject")),
        (statement(Resource="*"), statement(Resource=None, NotResource="*")),
        (statement(), statement(Sid="A")),
        (statement(), statement(Condition={"Bool": {"aws:x": True}})),
        (
            statement(Condition={"StringEquals": {"aws:x": "1"}}),
            statement(Condition={"StringLike": {"aws:x": "1"}}),
        ),
    ],
)
def test_a_difference_shows(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert canonical(document(one)) != canonical(document(other))
