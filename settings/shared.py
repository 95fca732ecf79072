"""The settings that several stacks share: one file, over which each stack's own file is laid.

Pulumi merges no objects of different files, so the program does it: `vault-aws:shared` of a stack names the file.
Mappings merge by key, everything else replaces what is shared, and `null` takes an entry away. Each value is known
by the file that it stands in, so that a fault names the file to mend.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from settings.faults import Fault, FaultsError
from settings.files import NAMESPACE, config_of
from settings.nearest import did_you_mean
from settings.place import filled, place_of
from settings.plain import plain_faults, shown

FOLDER = Path(__file__).resolve().parent.parent
"""Where the shared file stands: beside Pulumi.yaml."""

SHARED = f"{NAMESPACE}:shared"
"""The setting of a stack that names the file."""

PREFIX = f"{NAMESPACE}:"
"""How the project's own keys begin."""

_FILE_NAME = re.compile(r"[\w.-]{1,100}\.yaml", re.ASCII)

# Pulumi hands the program the default of Pulumi.yaml as if the stack's own file had said it, so that a stack which does
# not say `protect: false` could not be told from one that does.
OWN_ALONE = {
    "environment": "it is what tells one stack from another",
    "protect": "what is not protected should be seen to be so",
    "shared": "there is one shared file",
}
"""The settings that cannot be shared, and why."""


class StackConfig(dict[str, Any]):
    """A stack's configuration by full key: its own over what it shares, placeholders filled.

    Attributes:
        faults: What could not be merged or filled.
    """

    def __init__(
        self, values: Mapping[str, Any], where: str, own: Mapping[str, Any], shared: Mapping[str, Any], shared_file: str
    ) -> None:
        super().__init__(values)
        self.faults: tuple[Fault, ...] = ()
        self._where, self._own, self._shared, self._shared_file = where, own, shared, shared_file

    def file_of(self, field: str) -> str:
        """The file in which a field stands (`roles.reader.policy`); where a mapping is of both, both."""
        if not self._shared:
            return self._where
        field = field.removeprefix(PREFIX)
        own, own_holds_more = _reach(self._own, field)
        shared, shared_holds_more = _reach(self._shared, field)
        if own == shared and own and own_holds_more and shared_holds_more:
            return f"{self._where} over {self._shared_file}"
        # What the stack sets replaces whatever is deeper in the shared file.
        if shared > own and own_holds_more:
            return f"{self._shared_file} (for {self._where})"
        return self._where

    def attributed(self, faults: Iterable[Fault]) -> list[Fault]:
        """Faults of the stack's settings, each with the file to mend."""
        return [
            replace(fault, where=self.file_of(fault.field)) if fault.where == self._where else fault for fault in faults
        ]


def with_shared(config: Mapping[str, Any], stack: str, where: str, folder: Path = FOLDER) -> StackConfig:
    """Lays a stack's configuration over the file that it shares, if it names one, and fills placeholders.

    Args:
        config: The stack's own values by full key; what was merged before is returned as it is.
        stack: The stack's name; the environment unless one is set.
        where: The stack's file, for faults.
        folder: Where the shared file stands.

    Raises:
        FaultsError: The shared file cannot be read, or holds what has no place there.
    """
    if isinstance(config, StackConfig):
        return config
    _require_plain(config, where)
    own = {key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)}
    name = own.get("shared") or ""
    shared = _read_shared(name, where, folder) if name else {}
    faults: list[tuple[str, str]] = []
    merged = _merged(shared, own, "", str(name), faults) if name else own
    place = place_of(config, str(own.get("environment") or stack))
    merged = {key: value if key in OWN_ALONE else filled(value, place, key, faults) for key, value in merged.items()}
    others = {key: value for key, value in config.items() if not str(key).startswith(PREFIX)}
    values = {**others, **{f"{PREFIX}{key}": value for key, value in merged.items()}}
    read = StackConfig(values, where, own, shared, str(name))
    read.faults = tuple(Fault(read.file_of(field), field, message) for field, message in faults)
    return read


def _read_shared(name: Any, where: str, folder: Path) -> dict[str, Any]:  # noqa: ANN401 - whatever the stack says
    if not isinstance(name, str) or not _FILE_NAME.fullmatch(name) or name.startswith("Pulumi."):
        message = (
            f"{shown(name)} is not the name of a shared file; name one beside Pulumi.yaml, such as shared-settings.yaml"
        )
        raise FaultsError([Fault(where, "shared", message)])
    if not (folder / name).is_file():
        raise FaultsError([Fault(where, "shared", f"there is no file {shown(name)} beside Pulumi.yaml")])
    config = config_of(folder / name)
    _require_plain(config, name)
    faults = []
    for key, value in config.items():
        own_key = key.removeprefix(PREFIX)
        if own_key == key:
            faults.append(Fault(name, key, f"goes in each stack's own file; only {PREFIX}… can be shared"))
        elif own_key in OWN_ALONE:
            faults.append(Fault(name, key, f"goes in each stack's own file: {OWN_ALONE[own_key]}"))
        elif value is None:
            faults.append(Fault(name, key, "is empty; give it a value, or remove it"))
    if faults:
        raise FaultsError(faults)
    return {key.removeprefix(PREFIX): value for key, value in config.items()}


def _require_plain(config: Mapping[str, Any], where: str) -> None:
    """Raises FaultsError with what no setting may be; everything after it relies on that."""
    if faults := plain_faults(config):
        raise FaultsError([Fault(where, field.removeprefix(PREFIX), message) for field, message in faults])


def _merged(
    shared: Mapping[str, Any], own: Mapping[str, Any], field: str, shared_file: str, faults: list[tuple[str, str]]
) -> dict[str, Any]:
    merged = dict(shared)
    for key, value in own.items():
        place = f"{field}.{key}" if field else str(key)
        beneath = shared.get(key)
        if isinstance(value, dict) and isinstance(beneath, dict):
            merged[key] = _merged(beneath, value, place, shared_file, faults)
        elif value is not None:
            merged[key] = value
        elif not field:
            faults.append((place, "is empty, which Pulumi refuses; remove it, or set entries of it to null"))
        elif key in shared:
            del merged[key]
        else:
            near = did_you_mean(str(key), map(str, shared))
            faults.append((place, f"null takes nothing away: {shared_file} has no such entry{near}"))
    return merged


def _reach(tree: Mapping[str, Any], field: str) -> tuple[int, bool]:
    """How many steps of a field there are in a tree, and whether a mapping stands at their end."""
    found: Any = tree
    steps, rest = 0, field
    while isinstance(found, dict) and rest:
        # Names may hold dots, so the longest that fits is meant.
        fitting = [key for key in found if rest == str(key) or rest.startswith((f"{key}.", f"{key}["))]
        if not fitting:
            break
        key = max(fitting, key=lambda key: len(str(key)))
        found, rest, steps = found[key], rest[len(str(key)) :].removeprefix("."), steps + 1
    return steps, isinstance(found, dict)
