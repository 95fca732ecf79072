"""How many cases there are, how values and texts are broken, and what must hold of every fault."""

import os
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from datetime import date, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from settings.faults import Fault

CASES = int(os.environ.get("FUZZ_CASES", "2000"))
"""All cases of a run together; `make fuzz` asks for many more than `make test`."""

_DEFAULT_WORDS = re.compile(r"(Input|Value|Assertion|String|List|Dictionary|Keys?|Field|Extra|Unable|Tuple|Set) ")
"""How pydantic's own messages begin, which know neither the rule nor the way out."""
_OF_THE_WHOLE = re.compile(r"cannot be read: |is not a regular file|is over|is nested|is not YAML|holds |the key ")
"""How the faults of a stack's file begin that are in no one field."""
_LONGEST_LINE = 4_000
"""Characters of a fault that a person still reads; values are cut long before."""

TEXTS = (
    "",
    " ",
    "~",
    "null",
    "yes",
    "0x1F",
    "1_000",
    "1:30",
    "=",
    "<<",
    ".inf",
    "x" * 70,
    "x" * 5_000,
    "a/b",
    "../../etc/passwd",
    "a.b[0].c",
    "${account}",
    "${acount}",
    "${",
    "${aws:username}",
    "${*}",
    "{{",
    "{{" + " " * 3_000,
    "{{ .DisplayName }}",
    'v{{ printf "%s%s" (printf "%s" (random 20)) }}',
    "v{{ random " + "9" * 5_000 + " }}",
    "9" * 5_000 + "h",
    "1h",
    "5m",
    "33y",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.1/33",
    "fe80::%1/64",
    "arn:aws:iam::123456789012:role/x",
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws-cn:iam::123456789012:user/*",
    "arn:" * 400,
    "9999-12-31",
    "2026-02-30",
    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    "-----BEGIN PUBLIC KEY-----" * 200,
    "line\nline\r\n\tline",
    "bell\x07 escape\x1b[31m null\x00",
    "\x85\u2028\u2029 ends of lines",
    "\ufeff bom",
    "right-to-left \u202e and zero\u200bwidth",
    "\ud800",
    "\U0001f600 e\u0301 \uff41 \u0130 ß",
    "'quoted' \"twice\" `thrice` \\",
    "a b\tc",
    "s3:*",
    "s3:" + "?*" * 300,
    "my-role.json",
    "/dev/zero",
    "boundaries/leased-user.json",
)
SCALARS = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2.5,
    10**30,
    10**4_000,
    float("inf"),
    float("nan"),
    date(2026, 1, 31),
    date(1, 1, 1),
    date(9999, 12, 31),
    datetime(2026, 1, 31, 1, 2, 3),
    b"bytes",
)
_text = st.sampled_from(TEXTS) | st.text(max_size=12)
_scalar = st.sampled_from(SCALARS) | _text | st.integers() | st.floats()
values = st.recursive(
    _scalar,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_text | st.sampled_from((None, 1, 2.5, True)), inner, max_size=4)
    ),
    max_leaves=8,
)
"""Anything that YAML or JSON may hold."""


def deep(depth: int, *, mappings: bool) -> Any:
    """Lists or mappings in one another."""
    found: Any = "x"
    for _ in range(depth):
        found = {"a": found} if mappings else [found]
    return found


def unhurried(part: float) -> settings:
    """A share of all cases, with no limit on the time of each: a busy machine must not fail a test.

    What `make test` tries is the same in every run, so that it fails for a change alone; only `make fuzz` seeks.
    """
    return settings(
        max_examples=max(1, int(CASES * part)),
        deadline=None,
        derandomize="FUZZ_CASES" not in os.environ,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@st.composite
def broken(draw: st.DrawFn, whole: Any, spare: Any, most: int = 3) -> Any:
    """A copy of a value that is wrong in some places.

    Args:
        draw: Hypothesis's choice.
        whole: What is right.
        spare: Another right value, of which parts are put where they do not belong.
        most: How many places are changed at most.
    """
    result = deepcopy(whole)
    spares = [value for _, _, value in _places(spare)]
    for _ in range(draw(st.integers(1, most))):
        places = list(_places(result))
        if not places:
            return result
        container, key, value = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(("value", "value", "key", "remove", "spare", "list", "mapping", "deep", "many"))):
            case "value":
                container[key] = draw(values)
            case "key" if isinstance(container, dict):
                container[draw(_text)] = container.pop(key)
            case "remove":
                del container[key]
            case "spare":
                container[key] = deepcopy(spares[draw(st.integers(0, len(spares) - 1))])
            case "list":
                container[key] = [value] * draw(st.integers(1, 3))
            case "mapping":
                container[key] = {draw(_text): value}
            case "deep":
                container[key] = deep(draw(st.sampled_from((5, 30, 200))), mappings=draw(st.booleans()))
            case "many":
                container[key] = [f"{value}"[:9] + str(number) for number in range(draw(st.sampled_from((60, 2_000))))]
    return result


FRAGMENTS = (
    "\t",
    "\n",
    "\x00",
    "\x07",
    "\ufeff",
    "\r",
    "\u2028",
    ": ",
    "- ",
    "? ",
    "#",
    "&a ",
    "*a",
    "&a [*a, *a]",
    "<<: *a",
    "{",
    "}",
    "[",
    "]" * 3,
    '"',
    "'",
    '"\\ud800"',
    '"\\e[31m"',
    '"\\0"',
    "!!python/object/apply:os.system [id]",
    "!!python/name:os.system",
    "!!binary aGk=",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!timestamp x",
    "!!int x",
    "!!float x",
    "!!bool x",
    "!!null x",
    "!!str [x]",
    "!!map x",
    "!own x",
    "2026-13-45",
    "2026-01-01 25:00:00",
    "1:99:99",
    "0b",
    "0o8",
    "0x",
    "9" * 5_000,
    "%YAML 9.9\n---\n",
    "---\n",
    "...\n",
    "|\n",
    ">-\n",
    "[" * 400,
    "{a: " * 400,
    "a: &b [x, x, x, x, x, x, x, x]\n",
    "${account}",
    "null",
)


@st.composite
def garbled(draw: st.DrawFn, text: str) -> str:
    """A text with pieces put in, taken out, doubled or replaced."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from((0, 1, 2, 8, 40)))
        before, cut, after = text[:at], text[at : at + length], text[at + length :]
        match draw(st.sampled_from(("in", "in", "out", "twice", "sign"))):
            case "in":
                text = before + draw(st.sampled_from(FRAGMENTS)) + cut + after
            case "out":
                text = before + after
            case "twice":
                text = before + cut + cut + after
            case "sign":
                text = before + draw(st.characters()) + cut[1:] + after
    return text


def check_faults(faults: Iterable[Fault], files: Iterable[str]) -> None:
    """Holds what every fault owes its reader: the file, the field, and what would be right, on one line.

    Args:
        faults: What was found; one at least.
        files: How the names of files may begin that a fault may be in.
    """
    faults = list(faults)
    assert faults
    for fault in faults:
        line = str(fault)
        assert fault.where.startswith(tuple(files)), line
        assert line.startswith(fault.where), line
        assert line.isprintable(), repr(line)
        assert len(line) <= _LONGEST_LINE, line[:200]
        assert fault.field or fault.where.startswith("policies/") or _OF_THE_WHOLE.match(fault.message), line
        assert fault.message.strip(), line
        assert not _DEFAULT_WORDS.match(fault.message), line


def _places(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Every member at any depth: what it is in, its key or index there, and itself."""
    pending = [value]
    while pending:
        container = pending.pop()
        members = container.items() if isinstance(container, dict) else enumerate(container)
        for key, member in members:
            yield container, key, member
            if isinstance(member, dict | list):
                pending.append(member)
