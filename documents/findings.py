"""What is too much in the policy document of a role, by least privilege.

IAM takes all of this; AWS's own advice is against it
(https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege). A finding stops the
stack unless the role is exempted from its kind (`documents.exempted`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from documents.actions import access_level, actions_like, resource_forms, takes_resource
from documents.escalation import OWN_RIGHTS, PASS_ROLE, READS_OF_DATA, RIGHTS_OF_OTHERS
from documents.statements import Statement, condition_values, may_allow, statements_of
from documents.wording import shown, step
from settings.arns import FIELDS
from settings.exemptions import FindingKind

_FEW = 3
_POSITIVE = re.compile(r"(ForA(ny|ll)Values:)?(String|Arn)(Equals(IgnoreCase)?|Like)")
_ADMINISTRATORS = re.compile(
    r"arn:[\w-]+:iam::aws:policy/(.*/)?(AdministratorAccess.*|PowerUserAccess|SystemAdministrator|\w*FullAccess.*)"
)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is too much.

    Attributes:
        place: Where in the document: the statement, with the element that it is about.
        kind: What exemptions call it.
        message: The value, why it is too much, and the way out.
    """

    place: str
    kind: FindingKind
    message: str


def findings(document: Mapping[str, Any]) -> list[Finding]:
    """Finds what is too much in a policy document.

    One finding of a kind stands for a whole statement. Denials that hold for every resource and without
    condition are taken into account.

    Args:
        document: A document that keeps IAM's grammar; placeholders may stand in it.
    """
    found: list[Finding] = []
    for statement in statements_of(document):
        if statement.allows:
            for look in (_actions, _resources, _escalation, _data, _passing):
                found += look(statement, document)
    return found


def managed_policy_finding(arn: str, place: str) -> Finding | None:
    """Finds that a managed policy of AWS is one for administrators.

    Args:
        arn: The policy's ARN. What policies of the account hold is not known here.
        place: Where it is named.
    """
    if not _ADMINISTRATORS.fullmatch(arn):
        return None
    message = f"{arn!r} allows whole services; write a policy with the actions that the role uses"
    return Finding(place, "wildcard-action", message)


def _actions(statement: Statement, document: Mapping[str, Any]) -> Iterator[Finding]:
    place = step(statement.place, statement.action_element)
    if statement.negates_actions:
        yield Finding(
            place,
            "not-action",
            "Allow with NotAction allows all actions but those, and every one that AWS adds; write Action with those "
            "that the role uses",
        )
        return
    wild = [
        pattern
        for pattern in statement.actions
        if re.search(r"[*?]", pattern) and any(may_allow(document, action) for action in _examples(pattern))
    ]
    if wild:
        # "*" has no service to count in.
        counts = [f"{shown(pattern)} ({len(actions_like(pattern)) or 'all'} actions)" for pattern in wild]
        yield Finding(
            place,
            "wildcard-action",
            f"{_some(counts)} takes in every action that AWS adds as well; name those that the role uses",
        )


def _resources(statement: Statement, document: Mapping[str, Any]) -> Iterator[Finding]:
    if not (everywhere := _every_resource(statement)):
        return
    named = [
        action
        for pattern in statement.actions
        for action in ([pattern] if not re.search(r"[*?]", pattern) else _examples(pattern))
        if takes_resource(action) and may_allow(document, action)
    ]
    if statement.negates_actions or named:
        example = f"such as {named[0]}" if named else "almost all of them"
        yield Finding(
            step(statement.place, statement.resource_element),
            "wildcard-resource",
            f"{everywhere} for actions that AWS allows on named resources, {example}; name the ARNs, and put "
            "actions that take none in a statement of their own",
        )


def _escalation(statement: Statement, document: Mapping[str, Any]) -> Iterator[Finding]:
    ways = [
        action
        for action in OWN_RIGHTS
        if statement.covers(action) and may_allow(document, action) and not _boundary_named(statement)
    ]
    if _every_resource(statement):
        ways += [
            " with ".join(actions)
            for actions in RIGHTS_OF_OTHERS
            if any(map(statement.covers, actions)) and all(may_allow(document, action) for action in actions)
        ]
        if statement.covers(PASS_ROLE) and may_allow(document, PASS_ROLE):
            ways.append(f"{PASS_ROLE} of any role")
    if ways:
        yield Finding(
            step(statement.place, statement.action_element),
            "privilege-escalation",
            f"with {_some(ways)} a credential gets rights that the policy does not give; leave it out, or name the "
            "one resource that it is for",
        )


def _data(statement: Statement, document: Mapping[str, Any]) -> Iterator[Finding]:
    reads = [action for action in READS_OF_DATA if statement.covers(action) and may_allow(document, action)]
    if reads and _every_resource(statement):
        yield Finding(
            step(statement.place, statement.resource_element),
            "data-exposure",
            f"{_some(reads)} on every resource reads all data and secrets of the account; name the ARNs",
        )
        return
    named = [
        action
        for pattern in statement.actions
        if ":" in pattern and not statement.negates_actions
        for action in actions_like(pattern)
        if access_level(action) == "Permissions management"
        and not action.startswith("iam:")
        and may_allow(document, action)
    ]
    if named:
        yield Finding(
            step(statement.place, statement.action_element),
            "data-exposure",
            f"with {_some(named)} a credential lets others reach a resource, also after its lease; leave it out",
        )


def _passing(statement: Statement, document: Mapping[str, Any]) -> Iterator[Finding]:
    if not statement.covers(PASS_ROLE) or not may_allow(document, PASS_ROLE):
        return
    for operator, key, values in condition_values(statement.conditions):
        named = all(value.strip("*?") for value in values)
        if key.lower() == "iam:passedtoservice" and _POSITIVE.fullmatch(operator) and named:
            return
    yield Finding(
        step(statement.place, statement.action_element),
        "pass-role",
        f"{PASS_ROLE} without a service lets any service act with the role; add the condition "
        '"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}, say',
    )


def _every_resource(statement: Statement) -> str | None:
    """Says that a statement reaches every resource of a kind, or None; a tag that a resource must have bounds it."""
    for operator, key, _ in condition_values(statement.conditions):
        if "resourcetag/" in key.lower() and _POSITIVE.fullmatch(operator):
            return None
    if statement.negates_resources:
        return "NotResource means every other resource"
    wild = [resource for resource in statement.resources if _is_wild(resource)]
    return f"{_some(list(map(shown, wild)))} means every resource" if wild else None


def _is_wild(resource: str) -> bool:
    """Whether a resource is `*`, or an ARN that stands for all of its kind, such as `…:table/*`."""
    fields = re.sub(r"\$\{[^}]*\}", "x", resource).split(":", FIELDS - 1)
    if len(fields) < FIELDS:
        return resource == "*"
    starts = {form.split(":", FIELDS - 1)[-1].split("${")[0] for form in resource_forms(fields[2])} | {""}
    return any(
        fields[-1].startswith(start) and re.fullmatch(r"[*?/:]*[*?][*?/:]*", fields[-1][len(start) :])
        for start in starts
    )


def _boundary_named(statement: Statement) -> bool:
    """Whether a statement is about identities under a named boundary alone, which keeps what they get within it."""
    return any(
        key.lower() == "iam:permissionsboundary"
        and _POSITIVE.fullmatch(operator)
        and all(value.strip("*?") for value in values)
        for operator, key, values in condition_values(statement.conditions)
    )


def _examples(pattern: str) -> list[str]:
    """Actions that a pattern stands for; for `*`, some of which each service has its like."""
    return actions_like(pattern) or ["s3:GetObject", "ec2:RunInstances", "dynamodb:PutItem", "iam:CreateUser"]


def _some(names: Iterable[str]) -> str:
    names = list(dict.fromkeys(names))
    rest = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {rest} more" if rest > 0 else "")
