"""Username templates: whether the names that Vault makes with one are names that AWS takes.

Vault runs the template as a Go template each time it makes a credential, and fails then, in front of a
consumer, when the name is too long for IAM (64 characters) or for a federated user (32)
(https://developer.hashicorp.com/vault/api-docs/secret/aws#username_template). So it is read here, before
anything is written: text and actions, each with the longest that it can become.
"""

import hashlib
import re
from dataclasses import dataclass

from settings.plain import shown

DEFAULT_PREFIX = "vault-"
"""How every name begins that Vault's own default template makes, and the stack's."""

TRACEABLE = (
    '{{ if (eq .Type "STS") }}vault-{{ unix_time }}-{{ random 15 }}'
    "{{ else }}vault-{{ .PolicyName | truncate_sha256 26 }}-{{ .DisplayName | truncate 20 }}-{{ random 10 }}{{ end }}"
)
"""The stack's default: names of IAM users and of assumed roles' sessions carry role and caller.

Vault's own has the caller first and cuts both together at 42 characters, so that a long display name leaves
nothing of the role. Of a federated user Vault's template knows neither.
"""

_ROLE_LENGTH, _CALLER_LENGTH, _HASH_LENGTH = 26, 20, 8


def traceable_prefix(role: str, caller: str) -> str:
    """How the names begin that `TRACEABLE` gives to a role's IAM users and sessions for one display name."""
    role, caller = (re.sub(r"[^a-zA-Z0-9+=,.@_-]", "_", word) for word in (role, caller))
    if len(role) > _ROLE_LENGTH:
        kept = _ROLE_LENGTH - _HASH_LENGTH
        role = role[:kept] + hashlib.sha256(role[kept:].encode()).hexdigest()[:_HASH_LENGTH]
    return f"{DEFAULT_PREFIX}{role}-{caller[:_CALLER_LENGTH]}-"


_IAM_LIMIT, _STS_LIMIT = 64, 32
_ACTION = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_NAME_CHARACTERS = re.compile(r"[\w+=,.@-]*", re.ASCII)
_STS_BRANCH = re.compile(r'if\s*\(?\s*eq\s+\.Type\s+"STS"\s*\)?')
_FIXED_LENGTHS = {"unix_time": 10, "unix_time_millis": 13, "uuid": 36}
_UNBOUNDED = 1000
"""Stands for a length that only a consumer decides, such as that of a display name."""


@dataclass(frozen=True)
class _Branch:
    longest: int
    prefix: str


def username_template_fault(template: str) -> str | None:
    """Says what AWS or Vault would refuse in a username template.

    Args:
        template: The Go template of the settings.

    Returns:
        The rule that it breaks and the way out, or None.
    """
    try:
        branches = _branches(template)
    except ValueError as error:
        return str(error)
    for limit, branch in branches:
        if branch.longest > limit:
            length = "no bound" if branch.longest >= _UNBOUNDED else f"{branch.longest} characters"
            kind = "a federated user" if limit == _STS_LIMIT else "an IAM user"
            return (
                f"the name of {kind} has at most {limit} characters and this template allows {length}; "
                f"end the expression with `| truncate {limit}`"
            )
    prefixes = {branch.prefix for _, branch in branches}
    if "" in prefixes:
        return (
            "every name must begin with fixed text, to which Vault's rights are scoped; "
            f"begin with {DEFAULT_PREFIX!r}, say"
        )
    return None


def username_prefix(template: str | None) -> str:
    """The fixed text with which IAM user names of a template begin: what Vault's policy is scoped to."""
    if template is None:
        return DEFAULT_PREFIX
    return next(branch.prefix for limit, branch in _branches(template) if limit == _IAM_LIMIT)


def _branches(template: str) -> list[tuple[int, _Branch]]:
    """Splits a template at `{{ if (eq .Type "STS") }}`; one without it makes both kinds of name."""
    pieces = _ACTION.split(template)
    texts, actions = pieces[0::2], [action.strip() for action in pieces[1::2]]
    if any("{{" in text or "}}" in text for text in texts):
        raise ValueError("an action is not closed; write {{ … }}")
    words = [action.split()[0] if action.split() else "" for action in actions]
    if "" in words:
        raise ValueError("an action is empty; write {{ random 20 }}, say")
    if not {"if", "else", "end"} & set(words):
        branch = _measure(texts, actions)
        return [(_IAM_LIMIT, branch), (_STS_LIMIT, branch)]
    if (
        [word for word in words if word in {"if", "else", "end"}] != ["if", "else", "end"]
        or not _STS_BRANCH.fullmatch(actions[words.index("if")])
        or words.index("if") != 0
        or words.index("end") != len(words) - 1
        or texts[0].strip()
        or texts[-1].strip()
    ):
        raise ValueError(
            'the one condition that can be checked is {{ if (eq .Type "STS") }}…{{ else }}…{{ end }} '
            "around the whole template; rewrite it in that form"
        )
    middle = words.index("else")
    return [
        (_STS_LIMIT, _measure(texts[1 : middle + 1], actions[1:middle])),
        (_IAM_LIMIT, _measure(texts[middle + 1 : -1], actions[middle + 1 : -1])),
    ]


def _measure(texts: list[str], actions: list[str]) -> _Branch:
    texts = [text.strip() if not actions else text for text in texts]
    texts[0], texts[-1] = texts[0].lstrip(), texts[-1].rstrip()
    for text in texts:
        if not _NAME_CHARACTERS.fullmatch(text):
            wrong = next(character for character in text if not _NAME_CHARACTERS.fullmatch(character))
            raise ValueError(f"{wrong!r} cannot stand in an IAM user name; use letters, digits and +=,.@_-")
    lengths = [_longest(action) for action in actions]
    prefix = texts[0] or (_printf_prefix(actions[0]) if actions else "")
    return _Branch(sum(map(len, texts)) + sum(lengths), prefix)


def _printf_prefix(action: str) -> str:
    match = re.match(r'printf\s+"([^"%]*)', action)
    return match[1] if match else ""


def _longest(action: str) -> int:
    """The longest that an action can print: its last `truncate`, or what a bounded function makes."""
    stages = [stage.strip() for stage in _split_pipeline(action)]
    for stage in reversed(stages):
        if match := re.fullmatch(r"(?:truncate|truncate_sha256|random)\s+([0-9]{1,9})", stage):
            return int(match[1])
        if stage in _FIXED_LENGTHS:
            return _FIXED_LENGTHS[stage]
        if re.fullmatch(r'"[^"]*"', stage):
            return len(stage) - 2
        if stage == ".Type":
            return 3
        if stage in {"lowercase", "uppercase"}:
            continue
        break
    if stages and stages[-1].startswith("printf"):
        return _longest_printf(stages[-1])
    return _UNBOUNDED


def _longest_printf(call: str) -> int:
    match = re.fullmatch(r'printf\s+"([^"]*)"\s*(.*)', call, re.DOTALL)
    if match is None:
        raise ValueError(f'printf needs a format in quotes; write printf "vault-%s" (random 20), not {shown(call)}')
    text, rest = match.groups()
    arguments = re.findall(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)|(\S+)", rest)
    literal = len(re.sub(r"%[sdv]", "", text))
    return literal + sum(_longest(inner or word) for inner, word in arguments)


def _split_pipeline(action: str) -> list[str]:
    stages, depth, start = [], 0, 0
    for place, character in enumerate(action):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            stages.append(action[start:place])
            start = place + 1
    return [*stages, action[start:]]
