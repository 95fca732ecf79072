"""IAM's evaluation: the cases that AWS's documentation decides, and what must hold for all policies."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.evaluation import Decision, Document, Grant, PolicyError, Request, evaluate, trusts

ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/ada"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OBJECT = "arn:aws:s3:::reports/2030/hello.txt"


def document(*statements: Mapping[str, Any], version: str = "2012-10-17") -> Document:
    return {"Version": version, "Statement": list(statements)}


def statement(effect: str = "Allow", action: Any = "*", resource: Any = "*", **others: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **others}


ALL = document(statement())
DENY_ALL = document(statement("Deny"))
NOTHING = document()


def allows(policy: Document, action: str = "s3:GetObject", resource: str = OBJECT, **context: Any) -> bool:
    request = Request(action, resource, {key.replace("_", ":", 1): value for key, value in context.items()})
    return evaluate(request, identity=[policy]) is Decision.ALLOWED


# --- how the layers meet


@pytest.mark.parametrize(
    ("identity", "boundary", "session", "decision"),
    [
        ([], None, None, Decision.NOT_ALLOWED),
        ([ALL], None, None, Decision.ALLOWED),
        ([ALL, DENY_ALL], None, None, Decision.DENIED),
        ([NOTHING, ALL], None, None, Decision.ALLOWED),
        ([ALL], ALL, None, Decision.ALLOWED),
        ([ALL], NOTHING, None, Decision.NOT_ALLOWED),
        ([ALL], DENY_ALL, None, Decision.DENIED),
        ([], ALL, None, Decision.NOT_ALLOWED),  # a boundary grants nothing
        ([ALL], None, [ALL], Decision.ALLOWED),
        ([ALL], None, [], Decision.NOT_ALLOWED),
        ([ALL], None, [NOTHING, ALL], Decision.ALLOWED),  # several session policies are one
        ([ALL], None, [ALL, DENY_ALL], Decision.DENIED),
        ([], None, [ALL], Decision.NOT_ALLOWED),  # nor does a session policy
        ([ALL], NOTHING, [ALL], Decision.NOT_ALLOWED),
        ([DENY_ALL], NOTHING, [], Decision.DENIED),
    ],
)
def test_each_layer_only_narrows(
    identity: Sequence[Document], boundary: Document | None, session: Sequence[Document] | None, decision: Decision
) -> None:
    request = Request("s3:GetObject", OBJECT)
    assert evaluate(request, identity=identity, boundary=boundary, session=session) is decision


# --- actions and resources


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("s3:GetObject", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:Get?Object", "s3:GetObject", False),
        ("s3:GetObject", "s3:GetObjectAcl", False),
        ("s3:Get.bject", "s3:GetObject", False),
        ("iam:*", "s3:GetObject", False),
        ("*", "s3:GetObject", True),
        (["iam:*", "s3:*"], "s3:GetObject", True),
        ([], "s3:GetObject", False),
    ],
)
def test_actions(pattern: Any, action: str, matches: bool) -> None:
    assert allows(document(statement(action=pattern)), action) is matches
    opposite = {"Effect": "Allow", "NotAction": pattern, "Resource": "*"}
    assert allows(document(opposite), action) is not matches


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("*", OBJECT, True),
        ("*", "*", True),
        (OBJECT, OBJECT, True),
        ("arn:aws:s3:::reports/*", OBJECT, True),
        ("arn:aws:s3:::reports/*.txt", OBJECT, True),
        ("arn:aws:s3:::REPORTS/*", OBJECT, False),
        ("arn:aws:s3:::reports", OBJECT, False),
        ("arn:aws:s3:::report?/*", OBJECT, True),
        ("arn:aws:s3:::*", OBJECT, True),
        ("arn:aws:s3*", OBJECT, True),  # at the end it reaches beyond its part
        ("arn:*:reports/2030/hello.txt", OBJECT, False),  # elsewhere it does not
        ("arn:aws:iam::*:user/ada", USER, True),
        ("arn:aws:iam::*/ada", USER, False),
        ("arn:aws:iam:?:123456789012:user/ada", USER, False),
        ("arn:aws:iam::123456789012:user/vault-*", "arn:aws:iam::123456789012:user/other/vault-1", False),
        ("arn:aws:logs:*:*:log-group:a*:b", "arn:aws:logs:eu-west-1:1:log-group:ax:stream:b", True),
        ([USER, OBJECT], OBJECT, True),
    ],
)
def test_resources(pattern: Any, resource: str, matches: bool) -> None:
    assert allows(document(statement(resource=pattern)), "any:Action", resource) is matches
    opposite = {"Effect": "Allow", "Action": "*", "NotResource": pattern}
    assert allows(document(opposite), "any:Action", resource) is not matches


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/ada/x", True),
        ("arn:aws:s3:::home/${AWS:UserName}/*", "arn:aws:s3:::home/ada/x", True),
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/bob/x", False),
        ("arn:aws:s3:::home/${aws:absent}*", "arn:aws:s3:::home/ada", False),
        ("arn:aws:s3:::home/${aws:absent, 'shared'}", "arn:aws:s3:::home/shared", True),
        ("arn:aws:s3:::home/${aws:username, 'shared'}", "arn:aws:s3:::home/shared", False),
        ("arn:aws:s3:::home/${many:values}", "arn:aws:s3:::home/a", False),
        ("arn:aws:s3:::home/${a:star}", "arn:aws:s3:::home/anything", False),  # a value's star is a star
        ("arn:aws:s3:::home/${a:star}", "arn:aws:s3:::home/*", True),
        ("arn:aws:s3:::home/${*}", "arn:aws:s3:::home/*", True),
        ("arn:aws:s3:::home/${*}", "arn:aws:s3:::home/a", False),
        ("arn:aws:s3:::home/${?}", "arn:aws:s3:::home/a", False),
        ("arn:aws:s3:::home/${$}{x}", "arn:aws:s3:::home/${x}", True),
    ],
)
def test_variables_of_resources(pattern: str, resource: str, matches: bool) -> None:
    context = {"aws:username": "ada", "many:values": ["a", "b"], "a:star": "*"}
    request = Request("s3:GetObject", resource, context)
    assert (evaluate(request, identity=[document(statement(resource=pattern))]) is Decision.ALLOWED) is matches


def test_the_first_version_of_the_language_has_no_variables() -> None:
    old = document(statement(resource="arn:aws:s3:::${aws:username}"), version="2008-10-17")
    assert not allows(old, resource="arn:aws:s3:::ada", aws_username="ada")
    assert allows(old, resource="arn:aws:s3:::${aws:username}", aws_username="ada")


# --- conditions: operator, what the policy wants, what the request has (None: not the key), whether it holds

CONDITIONS = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", ["b", "a"], "a", True),
    ("StringEquals", "a", None, False),
    ("StringEquals", "true", "true", True),
    ("StringEquals", True, "true", True),
    ("StringEquals", "${aws:username}", "ada", True),
    ("StringEquals", "${aws:username}", "${aws:username}", False),
    ("StringEquals", "${aws:absent}", "", False),
    ("StringNotEquals", "${aws:absent}", "a", True),
    ("StringEqualsIfExists", "a", None, True),
    ("StringEqualsIfExists", "a", "b", False),
    ("StringNotEquals", "a", "b", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", "a", None, True),
    ("StringNotEqualsIfExists", "a", None, True),
    ("StringEqualsIgnoreCase", "Ab", "aB", True),
    ("StringEqualsIgnoreCase", "${aws:username}", "ADA", True),
    ("StringNotEqualsIgnoreCase", "Ab", "aB", False),
    ("StringLike", "a*d?", "abcde", True),
    ("StringLike", "a*d?", "abcd", False),
    ("StringLike", "A*", "ab", False),
    ("StringLike", "a${*}", "ab", False),
    ("StringLike", "a${*}", "a*", True),
    ("StringLike", "${aws:username}-*", "ada-1", True),
    ("StringNotLike", "a*", "ab", False),
    ("StringNotLike", "a*", None, True),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", 10, "10", True),
    ("NumericEquals", "10", "ten", False),
    ("NumericNotEquals", "10", "11", True),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "9", "10", True),
    ("NumericGreaterThanEquals", "10", "9.99", False),
    ("NumericLessThan", "3600", None, False),
    ("NumericLessThanIfExists", "3600", None, True),
    ("DateGreaterThan", "2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z", True),
    ("DateGreaterThan", "2030-01-01T00:00:00Z", "2029-12-31T23:59:59Z", False),
    ("DateLessThan", "2030-01-01", "2029-12-31T23:59:59Z", True),
    ("DateLessThan", "2030", "2029-12-31T23:59:59Z", True),
    ("DateEquals", "2030-01-01T01:00:00+01:00", "2030-01-01T00:00:00Z", True),
    ("DateLessThanEquals", "1893456000", "2030-01-01T00:00:00Z", True),
    ("DateNotEquals", "2030-01-01", "2030-01-01T00:00:00Z", False),
    ("Bool", "true", "TRUE", True),
    ("Bool", True, "true", True),
    ("Bool", "false", "true", False),
    ("Bool", "true", None, False),
    ("BoolIfExists", "true", None, True),
    ("BoolIfExists", "true", "false", False),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "qmluyxj5", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    ("IpAddress", "203.0.113.7", "203.0.113.7", True),
    ("IpAddress", ["10.0.0.0/8", "2001:DB8::/32"], "2001:db8:1::1", True),
    ("IpAddress", "10.0.0.0/8", "::1", False),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
    ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
    ("NotIpAddress", "203.0.113.0/24", None, True),
    ("ArnEquals", USER, USER, True),
    ("ArnEquals", "arn:aws:iam::*:user/*", USER, True),  # ArnEquals and ArnLike are the same
    ("ArnLike", "arn:aws:iam::*:user/a?a", USER, True),
    ("ArnLike", "arn:*:user/ada", USER, False),
    ("ArnLike", "arn:aws:iam::123456789012:user/${aws:username}", USER, True),
    ("ArnNotLike", "arn:aws:iam::*:user/*", USER, False),
    ("ArnNotEquals", "arn:aws:iam::*:role/*", USER, True),
    ("ArnNotEquals", USER, None, True),
    ("Null", "true", None, True),
    ("Null", "true", "a", False),
    ("Null", "false", "a", True),
    ("Null", False, None, False),
    ("Null", "true", [], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", ["a", "b"], None, True),
    ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], False),
    ("ForAllValues:StringLike", "team-*", ["team-a", "team-b"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c"], False),
    ("ForAnyValue:StringEquals", "a", None, False),
    ("ForAnyValue:StringNotEquals", "a", None, False),
    ("ForAnyValue:StringNotEquals", "a", ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
    ("ForAnyValue:StringEqualsIfExists", "a", None, True),
    ("StringNotEquals", "a", ["b", "a"], False),
]


@pytest.mark.parametrize(("operator", "wanted", "given", "holds"), CONDITIONS)
def test_conditions(operator: str, wanted: Any, given: Any, holds: bool) -> None:
    context = {"aws:username": "ada"} | ({} if given is None else {"x:Key": given})
    request = Request("s3:GetObject", OBJECT, context)
    policy = document(statement(Condition={operator: {"X:kEY": wanted}}))
    assert (evaluate(request, identity=[policy]) is Decision.ALLOWED) is holds
    denial = document(statement("Deny", Condition={operator: {"x:key": wanted}}))
    assert (evaluate(request, identity=[ALL, denial]) is Decision.DENIED) is holds


def test_all_conditions_must_hold() -> None:
    both = statement(Condition={"StringEquals": {"x:a": "1", "x:b": "2"}, "Bool": {"x:c": "true"}})
    assert allows(document(both), x_a="1", x_b="2", x_c="true")
    assert not allows(document(both), x_a="1", x_b="9", x_c="true")
    assert not allows(document(both), x_a="1", x_b="2", x_c="false")


# --- what is not known is an error


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (statement(Condition={"StringEqual": {"x:a": "1"}}), "'StringEqual' is not known"),
        (
            statement(Condition={"ForSomeValues:StringEquals": {"x:a": "1"}}),
            "'ForSomeValues:StringEquals' is not known",
        ),
        (statement(Condition={"NullIfExists": {"x:a": "true"}}), "'NullIfExists' is not known"),
        (statement(Condition={"Foo:Null": {"x:a": "true"}}), "'Foo:Null' is not known"),
        (statement(Condition={"Null": {"x:a": "perhaps"}}), "must be 'true' or 'false'"),
        (statement(Condition={"NumericEquals": {"x:a": "many"}}), "'many' is not of its operator's type"),
        (statement(Condition={"IpAddress": {"x:a": "home"}}), "'home' is not of its operator's type"),
        (statement(Condition="x"), "must be objects"),
        ("x", "must be objects"),
        (statement("Permit"), "Effect is 'Permit'"),
        (statement(Ressource="*"), "unknown element 'Ressource'"),
        (statement(NotAction="s3:*"), "one of Action and NotAction, and has 2"),
        ({"Effect": "Allow", "Action": "*"}, "one of Resource and NotResource, and has 0"),
        (statement(Principal="*"), "must not name a Principal"),
    ],
)
def test_what_is_not_known_is_an_error(broken: Any, message: str) -> None:
    request = Request("s3:GetObject", OBJECT, {"x:a": "1"})
    with pytest.raises(PolicyError, match=message):
        evaluate(request, identity=[document(broken)])
    with pytest.raises(PolicyError, match=message):
        evaluate(request, identity=[ALL], boundary=document(statement("Deny", "sqs:*"), broken))


def test_an_unknown_operator_is_seen_in_a_statement_about_something_else() -> None:
    with pytest.raises(PolicyError):
        allows(document(statement(), statement("Deny", "sqs:*", Condition={"StringIs": {"x:a": "1"}})))


# --- the policies of resources


def trust(principal: Any, effect: str = "Allow", **others: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", **others}


@pytest.mark.parametrize(
    ("statements", "grant"),
    [
        ([], Grant.NONE),
        ([trust({"AWS": ROOT})], Grant.ACCOUNT),
        ([trust({"AWS": ACCOUNT})], Grant.ACCOUNT),
        ([trust({"AWS": USER})], Grant.PRINCIPAL),
        ([trust("*")], Grant.PRINCIPAL),
        ([trust({"AWS": "*"})], Grant.PRINCIPAL),
        ([trust({"AWS": [USER + "x", USER]})], Grant.PRINCIPAL),
        ([trust({"AWS": USER + "x"})], Grant.NONE),
        ([trust({"AWS": "arn:aws:iam::123456789012:user/*"})], Grant.NONE),  # a principal takes no wildcards
        ([trust({"AWS": "arn:aws:iam::999999999999:root"})], Grant.NONE),
        ([trust({"AWS": "arn:aws-cn:iam::123456789012:root"})], Grant.NONE),
        ([trust({"Service": "ec2.amazonaws.com"})], Grant.NONE),
        ([trust({"Service": "*"})], Grant.NONE),
        ([trust({"AWS": ROOT}), trust({"AWS": USER})], Grant.PRINCIPAL),
        ([trust({"AWS": USER}), trust({"AWS": ROOT})], Grant.PRINCIPAL),
        ([trust({"AWS": USER}), trust({"AWS": ROOT}, "Deny")], Grant.DENIED),
        ([trust({"AWS": ROOT}, Condition={"StringEquals": {"sts:ExternalId": "42"}})], Grant.ACCOUNT),
        ([trust({"AWS": ROOT}, Condition={"StringEquals": {"sts:ExternalId": "43"}})], Grant.NONE),
        ([{**trust({"AWS": ROOT}), "Action": "sts:TagSession"}], Grant.NONE),
        ([trust({"AWS": ROOT}, Resource="arn:aws:s3:::other")], Grant.NONE),
    ],
)
def test_trust(statements: Sequence[Mapping[str, Any]], grant: Grant) -> None:
    request = Request("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/deploy", {"sts:ExternalId": "42"})
    assert trusts(document(*statements), request, USER) is grant


@pytest.mark.parametrize(
    "broken",
    [
        {"Effect": "Allow", "Action": "*"},
        {"Effect": "Allow", "Action": "*", "NotPrincipal": {"AWS": USER}},
        trust(USER),
        {"Effect": "Allow", "Principal": "*"},
    ],
)
def test_a_trust_policy_that_cannot_be_read_trusts_nobody(broken: Mapping[str, Any]) -> None:
    with pytest.raises(PolicyError):
        trusts(document(broken), Request("sts:AssumeRole", "*"), USER)


# --- for all policies

ACTIONS = st.sampled_from(["*", "s3:*", "s3:GetObject", "S3:get?bject", "iam:*", "iam:CreateUser"])
RESOURCES = st.sampled_from(["*", "arn:aws:s3:::*", OBJECT, USER, "arn:aws:iam::*:user/${aws:username}"])
TESTS = st.sampled_from(
    ["StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotLike"]
)
CONDITION = st.dictionaries(
    TESTS,
    st.dictionaries(st.sampled_from(["x:a", "x:b"]), st.sampled_from(["1", "*", ["1", "2"]]), min_size=1),
    max_size=2,
)


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> Mapping[str, Any]:
    return {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(ACTIONS),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(RESOURCES),
        "Condition": draw(CONDITION),
    }


DOCUMENTS = st.lists(statements(), max_size=3).map(lambda drawn: document(*drawn))
REQUESTS = st.builds(
    Request,
    st.sampled_from(["s3:GetObject", "iam:CreateUser"]),
    st.sampled_from([OBJECT, USER, "*"]),
    st.dictionaries(st.sampled_from(["x:A", "X:b", "aws:username"]), st.sampled_from(["1", "2", "ada"])),
)


def allowed(request: Request, **layers: Any) -> bool:
    return evaluate(request, **layers) is Decision.ALLOWED


@given(REQUESTS, st.lists(DOCUMENTS, max_size=2), statements(effect="Deny"))
def test_a_denial_never_widens(request: Request, identity: list[Document], denial: Mapping[str, Any]) -> None:
    assert allowed(request, identity=identity) or not allowed(request, identity=[*identity, document(denial)])


@given(REQUESTS, st.lists(DOCUMENTS, max_size=2), DOCUMENTS)
def test_a_boundary_never_widens(request: Request, identity: list[Document], boundary: Document) -> None:
    assert allowed(request, identity=identity) or not allowed(request, identity=identity, boundary=boundary)


@given(REQUESTS, st.lists(DOCUMENTS, max_size=2), st.none() | DOCUMENTS, st.lists(DOCUMENTS, max_size=2))
def test_a_session_never_widens(
    request: Request, identity: list[Document], boundary: Document | None, session: list[Document]
) -> None:
    without = allowed(request, identity=identity, boundary=boundary)
    assert without or not allowed(request, identity=identity, boundary=boundary, session=session)


@given(REQUESTS, DOCUMENTS, DOCUMENTS)
def test_a_boundary_and_the_policies_it_bounds_meet_as_equals(request: Request, one: Document, other: Document) -> None:
    assert evaluate(request, identity=[one], boundary=other) is evaluate(request, identity=[other], boundary=one)


@given(REQUESTS, st.lists(DOCUMENTS, max_size=3), st.randoms())
def test_the_order_of_policies_does_not_count(request: Request, identity: list[Document], random: Any) -> None:
    shuffled = random.sample(identity, len(identity))
    assert evaluate(request, identity=identity) is evaluate(request, identity=shuffled)


@given(st.text(max_size=20), st.text(max_size=20))
def test_without_wildcards_a_pattern_matches_itself_alone(pattern: str, value: str) -> None:
    policy = document(statement(Condition={"StringEquals": {"x:a": pattern}}), version="2008-10-17")
    assert allows(policy, x_a=value) is (pattern == value)
