"""The reference of all settings, docs/settings.md, made from the same schema that an editor checks with."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from settings.durations import format_duration
from settings.files import NAMESPACE
from settings.model import Settings

FILE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

_ORDER = (
    ("VaultPin", "`vault`"),
    ("Engine", "An engine"),
    ("VaultUser", "`vaultUser` of an engine"),
    ("IamUserRole", "A role with `credentialType: iam_user`"),
    ("AssumedRole", "A role with `credentialType: assumed_role`"),
    ("FederationTokenRole", "A role with `credentialType: federation_token`"),
    ("SessionTokenRole", "A role with `credentialType: session_token`"),
    ("Probes", "`probes` of a role"),
    ("Probe", "A probe"),
    ("Exemption", "An exemption of a role"),
    ("StaticRole", "A static role"),
    ("AppRoleMethod", "An auth method with `type: approle`"),
    ("JwtMethod", "An auth method with `type: jwt`"),
    ("KubernetesMethod", "An auth method with `type: kubernetes`"),
    ("Binding", "A binding of `access`"),
    ("AppRole", "`appRole` of a binding"),
    ("Jwt", "`jwt` of a binding"),
    ("Kubernetes", "`kubernetes` of a binding"),
    ("Group", "`group` of a binding"),
    ("Audit", "`audit`"),
    ("FileDevice", "An audit device with `type: file`"),
    ("SocketDevice", "An audit device with `type: socket`"),
    ("SyslogDevice", "An audit device with `type: syslog`"),
    ("Alarm", "`alarm`"),
)


def text() -> str:
    """The page as it is checked in.

    Raises:
        KeyError: A part of the settings has no place in the page yet.
    """
    schema = Settings.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    missing = set(definitions) - {name for name, _ in _ORDER}
    if missing:
        raise KeyError(f"give a place in the page to: {', '.join(sorted(missing))}")
    return "\n".join(_lines(schema, definitions)) + "\n"


def _lines(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Made by `make schema` from the settings themselves. A duration is written `1h`, `90m` or `1h30m`."
    yield ""
    yield "## A stack's file"
    yield ""
    own = {f"{NAMESPACE}:{key}": value for key, value in schema["properties"].items() if key != "region"}
    region = {"aws:region": {"description": "The stack's region.", "type": "string"}}
    yield from _table(own | region, ["aws:region"])
    for name, title in _ORDER:
        yield ""
        yield f"## {title}"
        yield ""
        yield f"{definitions[name].get('description', '').split(chr(10))[0]}"
        yield ""
        yield from _table(definitions[name]["properties"], definitions[name].get("required", []))


def _table(properties: dict[str, Any], required: list[str]) -> Iterator[str]:
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for key, spec in properties.items():
        default = "required" if key in required else _default(key, spec)
        meaning = " ".join(spec.get("description", "").split()).replace("|", "\\|")
        yield f"| `{key}` | {default} | {meaning} |"


def _default(key: str, spec: dict[str, Any]) -> str:
    default = spec.get("default")
    if default in (None, [], {}, ""):
        return ""
    if isinstance(default, dict):
        return ""
    if isinstance(default, int) and not isinstance(default, bool) and _is_duration(key):
        return f"`{format_duration(default)}`"
    shown = default if isinstance(default, str) else json.dumps(default)
    return f"`{shown}`".replace("|", "\\|")


def _is_duration(key: str) -> bool:
    return key.endswith(("Ttl", "Age", "Timeout", "Period"))


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
