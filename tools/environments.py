"""Compares the environments in README.md: `make environments` writes the table anew from the stacks' files."""

import argparse
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic.alias_generators import to_camel

from documents.stack import StackDocuments, read_stack
from settings.access import Binding
from settings.durations import short_duration
from settings.files import stack_of
from settings.load import read_config
from settings.model import Settings
from settings.place import LOCAL
from tools.code_spans import code_span
from tools.generated import replace_part
from tools.paths import PROJECT

README = PROJECT / "README.md"
BEGIN, END = "<!-- made by `make environments` -->", "<!-- until here -->"

_ADDRESS = re.compile(r"https?://[\w.:/\[\]-]+", re.ASCII)
_ORDER = ("dev", "staging", "prod")


def run(_arguments: argparse.Namespace) -> int:
    """Writes the table of README.md anew."""
    README.write_text(with_table(README.read_text(encoding="utf-8"), table(read_all(PROJECT))), encoding="utf-8")
    return 0


def read_all(folder: Path) -> dict[str, tuple[str, StackDocuments]]:
    """The address of Vault and the documents of each environment but the local one, by name, in the order of promotion.

    Raises:
        FaultsError: A stack has faults.
    """
    names = {stack_of(path): path for path in folder.glob("Pulumi.*.yaml")}
    order = [*(name for name in _ORDER if name in names), *sorted(set(names) - {LOCAL, *_ORDER})]
    configs = {name: read_config(names[name]) for name in order}
    return {
        name: (str(config.get("vault:address", "VAULT_ADDR")), read_stack(config, name))
        for name, config in configs.items()
    }


def with_table(readme: str, text: str) -> str:
    """README with the table in its place.

    Raises:
        ToolError: It has no place for the table.
    """
    return replace_part(readme, BEGIN, END, text, README.name)


def table(stacks: Mapping[str, tuple[str, StackDocuments]]) -> str:
    """The comparison as a table in Markdown: a column an environment."""
    columns = [_column(address, documents) for address, documents in stacks.values()]
    bindings = sorted({name for _, documents in stacks.values() for name in documents.settings.access})
    rows = [f"| | {' | '.join(stacks)} |", "|---|" + "---|" * len(stacks)]
    rows += [f"| {title} | {' | '.join(column[title] for column in columns)} |" for title in columns[0]]
    for name in bindings:
        cells = (_binding(documents.settings.access.get(name)) for _, documents in stacks.values())
        rows.append(f"| access `{name}` | {' | '.join(cells)} |")
    return "\n".join(rows)


def _column(address: str, documents: StackDocuments) -> dict[str, str]:
    settings = documents.settings
    return {
        "AWS account": _code(documents.accounts),
        "region": _code([settings.region]),
        "Vault": f"<{address}>" if _ADDRESS.fullmatch(address) else code_span(address, cell=True),
        "its cluster": _code(filter(None, [settings.vault.cluster_name, settings.vault.cluster_id])),
        "leases: usual, longest": _each_engine(settings, "default_lease_ttl", "max_lease_ttl"),
        "longest session": _sessions(settings),
        "key of Vault's user": _keys(settings),
        "protected from deletion": "yes" if settings.protect else "no",
        "audit devices": _code(sorted(settings.audit.devices)),
        "Vault calls AWS from": _code(settings.alarm.allowed_networks) if settings.alarm.topic_name else "no alarm",
        "roles": _code(sorted(settings.roles)),
    }


def _each_engine(settings: Settings, *fields: str) -> str:
    texts = {
        name: ", ".join(short_duration(getattr(engine, field)) for field in fields)
        for name, engine in settings.engines.items()
    }
    return _by_name(texts)


def _sessions(settings: Settings) -> str:
    texts = {
        name: short_duration(longest)
        for name, role in sorted(settings.roles.items())
        if (longest := getattr(role, "max_sts_ttl", None))
    }
    return "<br>".join(f"`{name}` {text}" for name, text in texts.items()) or "none"


def _keys(settings: Settings) -> str:
    texts = {
        name: "Vault rotates it"
        if engine.rotation == "vault"
        else f"the stack rotates it; {engine.vault_user.maximum_key_age // 86400} days at most"
        if engine.vault_user.key_made
        else "the stack rotates it; no age is known"
        for name, engine in settings.engines.items()
    }
    return _by_name(texts)


def _binding(binding: Binding | None) -> str:
    if binding is None:
        return "none"
    given = [*map("`{}`".format, binding.roles), *(f"operator of `{engine}`" for engine in binding.operator_of)]
    cell = f"{', '.join(given)}; {to_camel(binding.method)}"
    login = binding.app_role or binding.jwt or binding.kubernetes
    if binding.jwt and binding.jwt.bound_subject:
        cell += f" {code_span(binding.jwt.bound_subject, cell=True)}"
    if binding.group and binding.group.alias:
        cell += f" {code_span(binding.group.alias, cell=True)}"
    if login:
        cell += f"; tokens of {short_duration(login.token_ttl)}, at most {short_duration(login.token_max_ttl)}"
        if login.token_bound_cidrs:
            cell += f", from {_code(login.token_bound_cidrs)}"
    return cell


def _by_name(texts: Mapping[str, str]) -> str:
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "<br>".join(f"`{name}`: {text}" for name, text in texts.items())


def _code(values: Iterable[str]) -> str:
    return ", ".join(code_span(value, cell=True) for value in values) or "none"
