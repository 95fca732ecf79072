"""What a document allows beyond another, held against IAM's evaluation of single requests."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.evaluation import Decision, Request, evaluate
from tests.documents.samples import document, statement, unhurried
from tools.review import meaning
from tools.review.meaning import Grant, Reach, gained
from tools.review.overlaps import TooManyError, overlaps

BUCKET = "arn:aws:s3:::b"
ACTIONS = ("sts:GetCallerIdentity", "sts:AssumeRole", "sts:TagSession", "sqs:GetQueueUrl")
PATTERNS = ("sts:*", "sts:Get*", "STS:assumerole", "sts:?agSession", "sqs:GetQueueUrl", "*")
RESOURCES = ("*", BUCKET, f"{BUCKET}/*", f"{BUCKET}/x*", f"{BUCKET}/?y", f"{BUCKET}/*y", "arn:aws:s3:*", "arn:*:x")
# Every way in which those lie to each other.
PLACES = [f"{BUCKET}{end}" for end in ("", "/", "/x", "/y", "/z", "/xy", "/zy", "/xz", "/zz", "/xzy", "/zzy", "/zzz")]
PLACES += ["arn:aws:s3:::c", "arn:aws:sns:::c", "arn:aws:::::x", "arn:x", "arn:aws:x", "anything"]
CONDITIONS = (
    {"StringEquals": {"aws:RequestedRegion": ["a", "b"]}},
    {"StringEquals": {"aws:RequestedRegion": "a"}},
    {"StringNotEquals": {"aws:RequestedRegion": ["a", "b"]}},
    {"StringEqualsIfExists": {"aws:RequestedRegion": "b"}, "Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport": True}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
    {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}},
    {"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}},
    {"ForAllValues:StringNotEquals": {"aws:TagKeys": ["a", "b"]}},
    {"Null": {"aws:TagKeys": "true"}},
)
CONTEXTS: list[dict[str, Any]] = [
    {
        name: value
        for name, value in zip(("aws:RequestedRegion", "aws:SecureTransport", "aws:TagKeys"), values, strict=True)
        if value
    }
    for values in product((None, "a", "c"), (None, "true"), (None, ["a"], ["b", "c"], ["a", "b"]))
]


def some(values: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def documents(*, conditions: bool) -> st.SearchStrategy[dict[str, Any]]:
    def written(
        *, effect: str, action: str, actions: list[str], resource: str, resources: list[str], condition: Any
    ) -> Any:
        elements = {"Effect": effect, "Action": None, "Resource": None, action: actions, resource: resources}
        return statement(**elements, Condition=condition)

    one = st.builds(
        written,
        effect=st.sampled_from(["Allow", "Allow", "Deny"]),
        action=st.sampled_from(["Action", "Action", "Action", "NotAction"]),
        actions=some(PATTERNS),
        resource=st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]),
        resources=some(RESOURCES),
        condition=st.sampled_from([None, *CONDITIONS]) if conditions else st.none(),
    )
    return st.lists(one, min_size=1, max_size=3).map(lambda statements: document(*statements))


@pytest.fixture(autouse=True, scope="module")
def few_actions() -> Any:
    # The four that the requests are about; all of AWS's take long.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meaning, "every_action", lambda: iter(ACTIONS))
        meaning._everything.cache_clear()
        meaning._expanded.cache_clear()
        yield
    meaning._everything.cache_clear()
    meaning._expanded.cache_clear()


def allows(policy: dict[str, Any], action: str, resource: str, context: dict[str, Any]) -> bool:
    return evaluate(Request(action, resource, context), identity=[policy]) is Decision.ALLOWED


def in_reach(reach: Reach, resource: str) -> bool:
    element = "NotResource" if reach.others else "Resource"
    whole = {"Effect": "Allow", "Action": "*", element: list(reach.resources)}
    return allows(document(whole), "sts:AssumeRole", resource, {})


def told(grants: Sequence[Grant], action: str, resource: str) -> bool:
    """Whether a reader of the grants, with all that stands in them, takes this for allowed now and not before."""

    def any_of(reaches: Sequence[Reach]) -> bool:
        return any(in_reach(reach, resource) for reach in reaches)

    return any(
        action in grant.actions
        and in_reach(grant.reach, resource)
        and not any_of(grant.denied)
        and not (any_of(grant.elsewhere) and not any_of(grant.elsewhere_denied))
        for grant in grants
    )


@given(documents(conditions=False), documents(conditions=False))
@unhurried(150)
def test_what_is_gained_is_what_is_allowed_now_and_was_not_before(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    grants = gained(before, after)
    for action, place in product(ACTIONS, PLACES):
        is_new = allows(after, action, place, {}) and not allows(before, action, place, {})
        assert told(grants, action, place) == is_new, (action, place)
    for grant in grants:
        assert grant.exact
        for action in {*grant.actions}.intersection(ACTIONS):
            for resource in grant.reach.resources:
                reach = grant.reach if grant.reach.others else Reach((resource,))
                assert any(
                    in_reach(reach, place)
                    and allows(after, action, place, {})
                    and not allows(before, action, place, {})
                    for place in PLACES
                ), (action, resource)


@given(documents(conditions=True), documents(conditions=True))
@unhurried(60)
def test_under_conditions_nothing_that_is_gained_goes_untold(before: dict[str, Any], after: dict[str, Any]) -> None:
    grants = gained(before, after)
    for action, place in product(ACTIONS, PLACES):
        named = any(action in grant.actions and in_reach(grant.reach, place) for grant in grants)
        if not named:
            assert not any(
                allows(after, action, place, context) and not allows(before, action, place, context)
                for context in CONTEXTS
            ), (action, place)


@given(documents(conditions=True))
@unhurried(50)
def test_a_document_gains_nothing_over_itself(policy: dict[str, Any]) -> None:
    assert gained(policy, document(*reversed(policy["Statement"]))) == []


def test_wildcards_are_expanded_so_that_only_the_new_is_told() -> None:
    [grant] = gained(document(statement(Action="s3:Get*")), document(statement(Action="s3:*")))
    assert {"s3:PutObject", "s3:ListBucket", "s3:*"} <= set(grant.actions)
    assert "s3:GetObject" not in grant.actions
    assert gained(document(statement(Action="s3:*")), document(statement(Action="s3:Get*"))) == []


def test_a_pattern_takes_in_what_aws_adds_and_a_list_does_not() -> None:
    listed = document(statement(Action=["sqs:GetQueueUrl", "sqs:GetQueueAttributes"]))
    [grant] = gained(listed, document(statement(Action="sqs:Get*")))
    assert grant.actions == ("sqs:Get*",)
    assert gained(document(statement(Action="sqs:Get*")), listed) == []


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"StringEquals": {"aws:SourceVpc": "a"}}, None),
        ({"StringEquals": {"aws:SourceVpc": "a"}}, {"StringEquals": {"aws:sourcevpc": ["b", "a"]}}),
        ({"StringNotEquals": {"aws:SourceVpc": ["a", "b"]}}, {"StringNotEquals": {"aws:SourceVpc": "a"}}),
        (
            {"StringEquals": {"aws:SourceVpc": "a"}, "Bool": {"aws:SecureTransport": "true"}},
            {"StringEquals": {"aws:SourceVpc": ["a"]}},
        ),
    ],
)
def test_a_further_condition_only_narrows_and_a_further_value_only_widens(narrow: Any, wide: Any) -> None:
    small, large = (document(statement(Condition=condition)) for condition in (narrow, wide))
    assert gained(large, small) == []
    [grant] = gained(small, large)
    assert grant.actions == ("s3:GetObject",)
    assert grant.elsewhere[0].conditions


def test_all_values_of_two_are_more_than_all_of_the_one_or_all_of_the_other() -> None:
    one, other, both = ({"ForAllValues:StringEquals": {"aws:TagKeys": keys}} for keys in (["a"], ["b"], ["a", "b"]))
    before = document(statement(Condition=one), statement(Condition=other))
    assert gained(before, document(statement(Condition=both)))


def test_what_aws_fills_in_is_compared_by_its_name() -> None:
    home, alice, all_homes = (
        document(statement(Resource=f"{BUCKET}/{end}")) for end in ("${aws:username}/x", "alice/x", "*/x")
    )
    assert gained(all_homes, home) == []
    assert gained(home, alice)
    assert gained(alice, home)
    assert gained(
        document(statement(Resource=f"{BUCKET}/?")), document(statement(Resource=f"{BUCKET}/${{aws:username}}"))
    )
    assert not gained(
        document(statement(Resource=f"{BUCKET}/${{*}}")), document(statement(Resource=f"{BUCKET}/${{*}}"))
    )
    assert gained(document(statement(Resource=f"{BUCKET}/${{*}}")), document(statement(Resource=f"{BUCKET}/*")))


INTRICATE = [f"arn:aws:s3:::*-{word}/{letter}*" for word in ("data", "logs", "reports") for letter in "abcd"]


def test_of_what_is_too_intricate_all_is_told_that_no_single_statement_allowed() -> None:
    with pytest.raises(TooManyError):
        overlaps(tuple(INTRICATE))
    before = document(statement(Resource=INTRICATE[1:]))
    after = document(statement(Resource=[*INTRICATE, "arn:aws:s3:::x-logs/a/y"]))
    [grant] = gained(before, after)
    assert (grant.reach.resources, grant.exact) == ((INTRICATE[0],), False)
    assert gained(after, before) == []
    denial = statement(Effect="Deny", Resource=f"{BUCKET}/*")
    [grant] = gained(document(statement(Resource=INTRICATE), denial), document(statement(Resource=INTRICATE)))
    assert grant.reach.resources == tuple(sorted(INTRICATE))


def test_so_it_is_with_many_conditions() -> None:
    many = [statement(Condition={"StringEquals": {f"aws:PrincipalTag/{name}": "x"}}) for name in "abcdefghijkl"]
    assert gained(document(*many), document(*many[1:])) == []
    [grant] = gained(document(*many[1:]), document(*many))
    assert (grant.reach.conditions, grant.exact) == (("StringEquals aws:PrincipalTag/a: x",), False)
