"""EventBridge's patterns of what Vault's IAM user never does, derived from what its policies allow.

They match records of CloudTrail as EventBridge delivers them
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html), in EventBridge's
comparison operators (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html).
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from settings.alarm import Alarm
from settings.faults import Fault

PATTERN_LIMIT = 2048
"""How many characters EventBridge takes of a pattern."""
RULE_NAME_LIMIT = 64
"""How many characters EventBridge takes of a rule's name."""

_HANDED_ON = "federate-"
"""How the purposes begin of the policies that the user holds for its federated sessions to get, not to use itself."""
_ANYBODY_MAY = {"sts": {"GetCallerIdentity"}}
"""What takes no permission, and what the stack itself asks with a new key."""
_CALL, _SIGN_IN = "AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail"

_Network = IPv4Network | IPv6Network
_WHOLE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def alarm_patterns(user_arn: str, policies: Mapping[str, str], networks: Collection[str]) -> dict[str, str]:
    """The patterns of the calls that should wake somebody.

    Args:
        user_arn: The ARN of Vault's IAM user.
        policies: Its policy documents by purpose (`documents.vault_user`).
        networks: The networks from which it may call; none, and it may from anywhere.

    Returns:
        JSON by purpose: `outside-policy` (a call that no policy allows, or that AWS refused), `other-user` (IAM is
        asked about a user that is not its own), `second-key` (somebody makes it another access key),
        `console-login` (it, or a user that it made, signs in to the console), `other-network`, numbered.
    """
    statements = [
        statement
        for purpose, document in policies.items()
        if not purpose.startswith(_HANDED_ON)
        for statement in json.loads(document)["Statement"]
    ]
    users = sorted({arn for statement in statements for arn in _texts(statement["Resource"]) if ":user/" in arn})
    who = {"userIdentity": {"arn": [user_arn]}}
    name = user_arn.rsplit("/", 1)[-1]
    key = {"eventSource": ["iam.amazonaws.com"], "eventName": ["CreateAccessKey"]}
    unnamed = {**who, "requestParameters": {"userName": [{"exists": False}]}}
    patterns: dict[str, Any] = {
        "outside-policy": _call({**who, "$or": [*_outside(statements)]}),
        "second-key": _call({**key, "$or": [{"requestParameters": {"userName": [name]}}, unnamed]}),
        "console-login": {
            "detail-type": [_SIGN_IN],
            "detail": {"userIdentity": {"arn": [user_arn, *({"wildcard": arn} for arn in users if "*" in arn)]}},
        },
    }
    if users:
        own = [arn.rsplit("/", 1)[-1] for arn in users]
        asked = {"eventSource": ["iam.amazonaws.com"], "requestParameters": {"userName": [_but(own)]}}
        patterns["other-user"] = _call({**who, **asked})
    for number, elsewhere in enumerate(_chunks(_elsewhere(networks)), 1):
        patterns[f"other-network-{number}"] = _call({**who, "sourceIPAddress": elsewhere})
    return {purpose: json.dumps(pattern, separators=(",", ":")) for purpose, pattern in sorted(patterns.items())}


def alarm_pattern_faults(where: str, alarm: Alarm, engine: str, patterns: Mapping[str, str]) -> list[Fault]:
    """Says where a rule would be more than EventBridge takes."""
    faults = [
        Fault(
            where,
            f"engines.{engine}",
            f"the alarm's pattern {purpose!r} would have {len(pattern)} characters and EventBridge takes "
            f"{PATTERN_LIMIT}; move some of the engine's roles to another engine",
        )
        for purpose, pattern in patterns.items()
        if len(pattern) > PATTERN_LIMIT
    ]
    longest = max((rule_name(alarm.topic_name or "", engine, purpose) for purpose in patterns), key=len)
    if len(longest) > RULE_NAME_LIMIT:
        faults.append(
            Fault(
                where,
                "alarm.topicName",
                f"the rule {longest!r} would be named for it, with {len(longest)} characters, and EventBridge takes "
                f"{RULE_NAME_LIMIT}; shorten it by {len(longest) - RULE_NAME_LIMIT}",
            )
        )
    return faults


def rule_name(topic: str, engine: str, purpose: str) -> str:
    """The name of a rule."""
    return f"{topic}-{engine}-{purpose}"


def _call(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {"detail-type": [_CALL], "detail": detail}


def _outside(statements: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    allowed = {service: set(names) for service, names in _ANYBODY_MAY.items()}
    for statement in statements:
        for action in _texts(statement["Action"]):
            service, name = action.split(":")
            allowed.setdefault(service, set()).add(name)
    sources = {service: f"{service}.amazonaws.com" for service in sorted(allowed)}
    yield {"eventSource": [{"anything-but": list(sources.values())}]}
    for service, source in sources.items():
        yield {"eventSource": [source], "eventName": [{"anything-but": sorted(allowed[service])}]}
    yield {"errorCode": [{"prefix": "AccessDenied"}, {"suffix": "UnauthorizedOperation"}]}


def _but(names: list[str]) -> dict[str, Any]:
    return {"anything-but": {"wildcard": names}}


def _elsewhere(networks: Collection[str]) -> list[Any]:
    """Every address outside the networks: EventBridge has no `anything-but` for networks."""
    allowed = [ip_network(network) for network in networks]
    if not allowed:
        return []
    rest: list[_Network] = [half for whole in _WHOLE for half in whole.subnets()]
    for network in allowed:
        rest = [part for whole in rest for part in _without(whole, network)]
    # A mask of all bits is none to EventBridge: one address stands as text.
    return [
        str(part.network_address) if part.num_addresses == 1 else {"cidr": str(part)}
        for part in sorted(rest, key=lambda part: (part.version, int(part.network_address)))
    ]


def _without(whole: _Network, network: _Network) -> Iterable[_Network]:
    if whole.version != network.version or not whole.overlaps(network):
        return [whole]
    if whole.subnet_of(network):  # type: ignore[arg-type]  # of one version, as the line above says
        return []
    return whole.address_exclude(network)  # type: ignore[arg-type]  # likewise


def _chunks(values: list[Any], size: int = 1500) -> Iterator[list[Any]]:
    """Splits a list into parts that leave a pattern room for the rest of it."""
    part: list[Any] = []
    for value in values:
        if len(json.dumps([*part, value], separators=(",", ":"))) > size:
            yield part
            part = []
        part.append(value)
    if part:
        yield part


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - a text or a list of them
    return [value] if isinstance(value, str) else list(value)
