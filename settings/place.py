"""Where a stack stands: the account, region and Vault that its file pins, and the placeholders that stand for them.

`${account}`, `${partition}`, `${region}` and `${environment}` may stand in any text of the settings, as in the roles'
policy documents, so that what differs between stacks by nothing else is written once.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from settings.arns import PARTITIONS
from settings.nearest import did_you_mean
from settings.plain import shown

PLACEHOLDERS = ("account", "partition", "region", "environment")
"""The names that may stand in `${…}`."""

LOCAL = "local"
"""The one environment whose account needs no pin: its servers are made for it."""

ACCOUNTS = "aws:allowedAccountIds"
"""The setting of Pulumi's AWS provider that pins the account."""

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)(\}?)")
_ARN = re.compile(r"arn:([a-z-]+):\S*$")
_PARTITION_OF_PREFIX = {
    "cn": "aws-cn",
    "eu-isoe": "aws-iso-e",
    "eusc": "aws-eusc",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "us-isof": "aws-iso-f",
}
"""How the names of a partition's regions begin, where it is not `aws`
(https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html)."""


_HOME = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-us-gov": "us-gov-west-1",
}


def home_of(region: str) -> str:
    """The region of a partition in which IAM stands, which has no regions."""
    return _HOME[partition_of(region)]


def partition_of(region: str) -> str:
    """The partition that a region belongs to."""
    prefixes = (prefix for prefix in _PARTITION_OF_PREFIX if region.startswith(f"{prefix}-"))
    return _PARTITION_OF_PREFIX.get(next(prefixes, ""), PARTITIONS[0])


def pinned_accounts(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The accounts that a stack's configuration pins; none if it pins none, or not in the right form."""
    accounts = config.get(ACCOUNTS)
    if not isinstance(accounts, list) or not all(map(_is_account, accounts)):
        return ()
    return tuple(accounts)


def pin_faults(config: Mapping[str, Any], environment: str) -> Iterator[tuple[str, str]]:
    """Says what is wrong with the pin of the account, as (field, message)."""
    accounts = config.get(ACCOUNTS)
    if accounts in (None, []):
        if environment != LOCAL:
            yield (
                ACCOUNTS,
                "is missing; name the stack's account, so that credentials of another one change nothing: "
                '["111122223333"]',
            )
    elif not isinstance(accounts, list):
        yield ACCOUNTS, f'{shown(accounts)} must be a list of accounts, such as ["111122223333"]'
    else:
        for index, account in enumerate(accounts):
            if not _is_account(account):
                yield f"{ACCOUNTS}[{index}]", f"{shown(account)} is not an account; write its 12 digits in quotes"


def place_of(config: Mapping[str, Any], environment: str) -> dict[str, str]:
    """What the placeholders stand for; without `account` unless one account, and no more, is pinned."""
    region, accounts = str(config.get("aws:region", "")), pinned_accounts(config)
    known = {"partition": partition_of(region), "region": region, "environment": environment}
    return {**known, "account": accounts[0]} if len(accounts) == 1 else known


def filled(value: Any, place: Mapping[str, str], field: str, faults: list[tuple[str, str]]) -> Any:  # noqa: ANN401 - any YAML
    """A copy of a setting with its placeholders filled.

    Args:
        value: The setting.
        place: What the placeholders stand for.
        field: Where the setting stands, for faults.
        faults: Takes what cannot be filled, as (field, message); such a text stays as it is.
    """
    if isinstance(value, dict):
        for key in value:
            if "${" in str(key):
                faults.append(
                    (f"{field}.{key}", "holds '${' in a key, and only values are filled in; write it in full")
                )
        return {
            key: filled(member, place, f"{field}.{key}" if field else str(key), faults) for key, member in value.items()
        }
    if isinstance(value, list):
        return [filled(member, place, f"{field}[{index}]", faults) for index, member in enumerate(value)]
    if not isinstance(value, str):
        return value
    found = [message for match in _PLACEHOLDER.finditer(value) if (message := _fault(match, place))]
    faults += [(field, message) for message in found]
    if found:
        return value
    text = _PLACEHOLDER.sub(lambda match: place[match[1]], value)
    arn = _ARN.match(text)
    if arn and arn[1] in PARTITIONS and arn[1] != place["partition"]:
        # No call crosses partitions.
        faults.append(
            (
                field,
                f"{shown(text)} is of the partition {arn[1]}, and {place['region']} is of {place['partition']}; write "
                "${partition}, or the stack's own",
            )
        )
    return text


def _fault(match: re.Match[str], place: Mapping[str, str]) -> str | None:
    name, end = match.groups()
    if not end:
        return f"{shown(match[0])} is not closed; write '}}' after the name"
    if name not in PLACEHOLDERS:
        near = did_you_mean(match[0], (f"${{{right}}}" for right in PLACEHOLDERS))
        return f"{shown(match[0])} is not a placeholder{near}"
    if name not in place:
        return f"{shown(match[0])} stands for the one account that {ACCOUNTS} names; name it there, and no other"
    return None


def _is_account(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9]{12}", value) is not None
