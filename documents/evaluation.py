"""Whether IAM allows a request: AWS's documented evaluation of policy documents, exact and offline.

Sources, in the IAM User Guide (https://docs.aws.amazon.com/IAM/latest/UserGuide/): "Policy evaluation logic"
(reference_policies_evaluation-logic.html), "IAM JSON policy elements reference" (reference_policies_elements.html)
with its pages on condition operators, multivalued context keys, variables and ARNs.

What is not known is an error and never an allowance: an unknown element or operator raises `PolicyError`.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, auto
from functools import lru_cache, partial
from ipaddress import ip_network
from typing import Any

Document = Mapping[str, Any]
"""A policy document as parsed from its JSON."""
Context = Mapping[str, str | Sequence[str]]
"""The values of condition keys; the keys' case does not count."""

_MATCHED = ("Action", "Resource", "Principal")
_ELEMENTS = {"Sid", "Effect", "Condition", *_MATCHED, *(f"Not{element}" for element in _MATCHED)}
_ARN_COLONS = 5
_DEFAULTED = re.compile(r"(.+?)\s*,\s*'(.*)'")


class PolicyError(ValueError):
    """A document cannot be evaluated; the text says which element is at fault."""


@dataclass(frozen=True)
class Request:
    """What a principal asks AWS for.

    Attributes:
        action: The action with its service's prefix, such as `s3:GetObject`.
        resource: The ARN of what the action works on, or `*` for an action that names nothing.
        context: The condition keys that AWS would know at the time of the request.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)

    def values(self, key: str) -> tuple[str, ...]:
        """The values of a condition key; none if the request does not have it."""
        found = next((value for name, value in self.context.items() if name.lower() == key.lower()), ())
        return (found,) if isinstance(found, str) else tuple(found)


class Decision(Enum):
    """What the policies of a principal say to its request."""

    ALLOWED = auto()
    DENIED = auto()
    """A statement denies it; nothing can allow it any more."""
    NOT_ALLOWED = auto()
    """No statement allows it, which denies it too."""


class Grant(Enum):
    """What the policy of a resource says to a principal's request."""

    DENIED = auto()
    NONE = auto()
    """No statement allows it."""
    ACCOUNT = auto()
    """It trusts the account: the principal's own policies must allow the request as well."""
    PRINCIPAL = auto()
    """It allows the principal itself, which is enough within one account."""


def evaluate(
    request: Request,
    *,
    identity: Iterable[Document],
    boundary: Document | None = None,
    session: Iterable[Document] | None = None,
) -> Decision:
    """Decides a request by the policies of the principal that makes it.

    An explicit denial in any policy wins. Otherwise the identity policies must allow the request, and so must the
    permissions boundary and the session policies where there are any: each can only narrow what the others leave.

    Args:
        request: What is asked for.
        identity: The policies of the user, with those of its groups, or of the role.
        boundary: The permissions boundary of the user or role, if it has one.
        session: The policies that were passed for the session; None where none limit it. An empty collection
            allows nothing.

    Raises:
        PolicyError: A document has an element or operator that is not known, or lacks one that it needs.
    """
    layers = [identity, None if boundary is None else [boundary], session]
    effects = [{e for document in layer for e in _effects(document, request)} for layer in layers if layer is not None]
    if any("Deny" in found for found in effects):
        return Decision.DENIED
    return Decision.ALLOWED if all("Allow" in found for found in effects) else Decision.NOT_ALLOWED


def trusts(policy: Document, request: Request, principal_arn: str) -> Grant:
    """Says what a resource's own policy, such as a role's trust policy, holds for a principal.

    `*` and the principal's ARN name the principal; the account, by number or by the ARN of its root, leaves the
    decision to the account's identity policies (reference_policies_elements_principal.html).

    Args:
        policy: The policy. A statement without Resource, as in trust policies, is about the resource that has it.
        request: What is asked for.
        principal_arn: Who asks. The session of a role has two ARNs, its own and the role's: ask for each. Of a token
            of an identity provider it is the provider's.

    Raises:
        PolicyError: As for `evaluate`; also at NotPrincipal, which trust policies do not take.
    """
    grants = {Grant.NONE}
    for statement in _statements(policy):
        if "Principal" not in statement:
            raise PolicyError("a statement of a resource's policy must have a Principal, and no NotPrincipal")
        reach = _reach(statement["Principal"], principal_arn)
        if _applies(statement, request, policy, owned=True) and reach is not Grant.NONE:
            grants.add(Grant.DENIED if statement["Effect"] == "Deny" else reach)
    return next(grant for grant in (Grant.DENIED, Grant.PRINCIPAL, Grant.ACCOUNT, Grant.NONE) if grant in grants)


def _reach(principal: Any, arn: str) -> Grant:  # noqa: ANN401 - any JSON
    given = {"AWS": "*"} if principal == "*" else principal
    if not isinstance(given, Mapping):
        raise PolicyError(f"the Principal {principal!r} must be '*' or an object such as {{'AWS': ARN}}")
    names = set(_listed(given.get("AWS", [])))
    _, partition, _, _, account, _ = arn.split(":", _ARN_COLONS)
    if names & {"*", arn} or arn in _listed(given.get("Federated", [])):
        return Grant.PRINCIPAL
    return Grant.ACCOUNT if names & {account, f"arn:{partition}:iam::{account}:root"} else Grant.NONE


def _effects(document: Document, request: Request) -> Iterator[str]:
    for statement in _statements(document):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise PolicyError("a statement of an identity policy must not name a Principal")
        if _applies(statement, request, document, owned=False):
            yield statement["Effect"]


def _statements(document: Document) -> Iterator[Mapping[str, Any]]:
    for statement in _listed(document.get("Statement", [])):
        if not isinstance(statement, Mapping) or not isinstance(statement.get("Condition", {}), Mapping):
            raise PolicyError("a statement and its Condition must be objects")
        if unknown := sorted(set(statement) - _ELEMENTS):
            raise PolicyError(f"a statement has the unknown element {unknown[0]!r}")
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise PolicyError(f"a statement's Effect is {statement.get('Effect')!r}; it must be 'Allow' or 'Deny'")
        yield statement


def _applies(statement: Mapping[str, Any], request: Request, document: Document, *, owned: bool) -> bool:
    # Documents of the first version (2008-10-17) take ${…} as it stands.
    variables = request if document.get("Version") == "2012-10-17" else None
    action = _among(statement, "Action", lambda p: _ACTION(request.action, p, None))
    bare = owned and not {"Resource", "NotResource"} & set(statement)
    resource = bare or _among(statement, "Resource", lambda p: _ARN(request.resource, p, variables))
    # Every condition is read, even where the rest does not match: an unknown operator must not go unseen.
    met = [
        _condition(name, key, _listed(wanted), request, variables)
        for name, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    ]
    return action and resource and all(met)


def _among(statement: Mapping[str, Any], element: str, matches: Callable[[str], bool]) -> bool:
    given = [name for name in (element, f"Not{element}") if name in statement]
    if len(given) != 1:
        raise PolicyError(f"a statement must have one of {element} and Not{element}, and has {len(given)}")
    return any(map(matches, _listed(statement[given[0]]))) == (given[0] == element)


def _regex(text: str, variables: Request | None, *, wildcards: bool, arn: bool) -> str | None:
    # None if a variable has no value, for then nothing is like it. In an ARN a wildcard stays within its part, but for
    # one at the very end, which stands for all further parts too (reference_policies_elements_resource.html).
    pieces = re.findall(r"\$\{[^}]*\}|." if variables else ".", text, re.DOTALL)
    parts, colons = [], 0
    for place, piece in enumerate(pieces, start=1):
        colons += piece == ":"
        if variables and len(piece) > 1:
            value = _value_of(piece[2:-1], variables)
            if value is None:
                return None
            parts.append(re.escape(value))
        elif wildcards and piece in "*?":
            bounded = arn and colons < _ARN_COLONS and not (piece == "*" and place == len(pieces))
            parts.append(("[^:]" if bounded else ".") + ("*" if piece == "*" else ""))
        else:
            parts.append(re.escape(piece))
    return "".join(parts)


def _value_of(name: str, request: Request) -> str | None:
    if name in ("*", "?", "$"):
        return name
    if defaulted := _DEFAULTED.fullmatch(name):
        found = _value_of(defaulted[1], request)
        return defaulted[2] if found is None else found
    values = request.values(name)
    return values[0] if len(values) == 1 else None


@lru_cache(maxsize=16_384)
def _compiled(pattern: str, *, wildcards: bool, arn: bool, fold: bool) -> re.Pattern[str]:
    regex = _regex(pattern, None, wildcards=wildcards, arn=arn) or ""
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if fold else 0))


_Test = Callable[[str, str, Request | None], bool]


def _alike(value: str, pattern: str, variables: Request | None, *, wildcards: bool, arn: bool, fold: bool) -> bool:
    if variables is None or "${" not in pattern:
        return _compiled(pattern, wildcards=wildcards, arn=arn, fold=fold).fullmatch(value) is not None
    regex = _regex(pattern, variables, wildcards=wildcards, arn=arn)
    return regex is not None and bool(re.fullmatch(regex, value, re.DOTALL | (re.IGNORECASE if fold else 0)))


def _typed(value: str, wanted: str, _: object, *, read: Callable[..., Any], compare: Callable[..., Any]) -> bool:
    try:
        limit = read(wanted)
    except (ValueError, ArithmeticError):
        raise PolicyError(f"the condition value {wanted!r} is not of its operator's type") from None
    try:
        return bool(compare(read(value), limit))
    except (ValueError, ArithmeticError):
        return False  # a request's value of another type is not what was asked for


def _condition(name: str, key: str, wanted: list[Any], request: Request, variables: Request | None) -> bool:
    quantifier, _, plain = name.rpartition(":")
    test, if_exists = plain.removesuffix("IfExists"), plain.endswith("IfExists")
    if test not in _TESTS or quantifier not in ("", "ForAllValues", "ForAnyValue") or plain == "NullIfExists":
        raise PolicyError(f"the condition operator {name!r} is not known")
    values = request.values(key)
    if test == "Null":
        return any(_truth(_text(value)) == (not values) for value in wanted)
    negated = "Not" in test
    if not values:
        # Without the key a condition is false, and a negated one true; over all of no values anything is true.
        return if_exists or quantifier == "ForAllValues" or (negated and not quantifier)
    found = [any(_TESTS[test](value, _text(each), variables) for each in wanted) != negated for value in values]
    return all(found) if quantifier == "ForAllValues" or (negated and not quantifier) else any(found)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    return str(value).lower() if isinstance(value, bool) else str(value)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise PolicyError(f"the condition value {text!r} must be 'true' or 'false'")
    return text.lower() == "true"


def _date(text: str) -> float:
    if re.fullmatch(r"\d{5,}(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        text += "-01" * (2 - text.count("-"))
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _compared(kind: str, read: Callable[..., Any]) -> dict[str, _Test]:
    orders = {"Equals": operator.eq, "NotEquals": operator.eq, "LessThan": operator.lt, "LessThanEquals": operator.le}
    orders |= {"GreaterThan": operator.gt, "GreaterThanEquals": operator.ge}
    return {f"{kind}{order}": partial(_typed, read=read, compare=compare) for order, compare in orders.items()}


_ARN = partial(_alike, wildcards=True, arn=True, fold=False)
_ACTION = partial(_alike, wildcards=True, arn=False, fold=True)
_NO_WILDCARDS = partial(_alike, wildcards=False, arn=False)
_ADDRESS = partial(_typed, read=partial(ip_network, strict=False), compare=lambda ip, net: ip.network_address in net)

# A negated operator has the test of its plain one; `_condition` turns the answer round.
_TESTS: dict[str, _Test] = {
    **dict.fromkeys(("StringEquals", "StringNotEquals", "BinaryEquals"), partial(_NO_WILDCARDS, fold=False)),
    **dict.fromkeys(("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"), partial(_NO_WILDCARDS, fold=True)),
    **dict.fromkeys(("StringLike", "StringNotLike"), partial(_alike, wildcards=True, arn=False, fold=False)),
    **dict.fromkeys(("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"), _ARN),
    **_compared("Numeric", Decimal),
    **_compared("Date", _date),
    **dict.fromkeys(("Bool", "Null"), partial(_typed, read=_truth, compare=operator.eq)),
    **dict.fromkeys(("IpAddress", "NotIpAddress"), _ADDRESS),
}
