"""Reads the YAML of a stack's file, or of the file that stacks share."""

from pathlib import Path
from typing import Any

import yaml

from settings.faults import Fault, FaultsError

NAMESPACE = "vault-aws"
"""The project's configuration namespace: `vault-aws:roles` and so on."""


def config_of(path: Path) -> dict[str, Any]:
    """The settings that stand under `config:` of a file, by full key.

    Raises:
        FaultsError: The file is missing, is not YAML, or is not of that form.
    """
    where = path.name
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a safe loader
    except OSError as error:
        raise FaultsError([Fault(where, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise FaultsError([Fault(where, "", "is not UTF-8 text; save it as UTF-8")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise FaultsError([Fault(where, place, f"is not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise FaultsError([Fault(where, "", f"is not YAML: {error}")]) from None
    config = (content.get("config") or {}) if isinstance(content, dict) else content
    if not isinstance(config, dict):
        raise FaultsError([Fault(where, "config", "must be a mapping of settings; see README.md, Settings")])
    return config


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key may stand once; PyYAML would keep the last and drop the others in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.value in seen and key_node.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} stands there twice", key_node.start_mark
                )
            if isinstance(key_node.value, str):
                seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)
