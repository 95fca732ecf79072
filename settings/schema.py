"""The JSON Schemas of a stack's file and of the file that stacks share, so that an editor completes and checks them.

Either file may hold a part of what is merged, and null where it takes something away: so nothing of a part is required
here. What is merged is checked when it is read. `python -m settings.schema` writes them anew; a test holds them
current.
"""

import json
from pathlib import Path
from typing import Any

from settings.model import Settings
from settings.shared import OWN_ALONE, PREFIX

FILE = Path(__file__).parent / "stack.schema.json"
SHARED_FILE = Path(__file__).parent / "shared.schema.json"


def stack_schema() -> dict[str, Any]:
    """The schema of `Pulumi.<stack>.yaml`: this project's settings, other namespaces as they are."""
    own, definitions = _parts()
    others = {
        "aws:region": {"type": "string", "description": "The stack's region."},
        "aws:allowedAccountIds": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[0-9]{12}$"},
            "description": "The account that the stack stands in; credentials of another one change nothing.",
        },
        "vault:address": {"type": "string", "description": "The address of the Vault server."},
    }
    config = {
        "type": "object",
        "properties": {**own, **others},
        "patternProperties": {f"^(?!{PREFIX})": {}},
        "additionalProperties": False,
        "required": ["aws:region"],
    }
    return _file("A stack of vault-aws", config, definitions)


def shared_schema() -> dict[str, Any]:
    """The schema of the file that stacks share: what can be shared, and nothing else."""
    own, definitions = _parts()
    properties = {key: value for key, value in own.items() if key.removeprefix(PREFIX) not in OWN_ALONE}
    config = {"type": "object", "properties": properties, "additionalProperties": False}
    return _file("What stacks of vault-aws share", config, definitions)


def text(schema: dict[str, Any]) -> str:
    """A schema as it is checked in."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _file(title: str, config: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {"config": config},
        "required": ["config"],
        "$defs": definitions,
    }


def _parts() -> tuple[dict[str, Any], dict[str, Any]]:
    model = Settings.model_json_schema(by_alias=True)
    # Pulumi refuses null for a whole setting.
    own = {f"{PREFIX}{key}": _partial(value) for key, value in model["properties"].items() if key != "region"}
    return own, _partial(model["$defs"])


def _partial(schema: Any) -> Any:  # noqa: ANN401 - any part of a JSON Schema
    """The schema of a part of what a schema describes, with nulls where entries are taken away."""
    if isinstance(schema, list):
        return [_partial(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    part = {key: _partial(value) for key, value in schema.items() if key not in {"required", "discriminator"}}
    if "oneOf" in part:
        # A part of a role may fit several credential types.
        part["anyOf"] = part.pop("oneOf")
    if part.get("type") == "object":
        if isinstance(part.get("additionalProperties"), dict):
            part["additionalProperties"] = _or_null(part["additionalProperties"])
        part["properties"] = {key: _or_null(value) for key, value in part.get("properties", {}).items()}
    return part


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "const" in schema:  # what tells a part from another cannot be taken away
        return schema
    rest = dict(schema)
    # Editors show the description that stands outside.
    described = {"description": rest.pop("description")} if "description" in rest else {}
    return {**described, "anyOf": [rest, {"type": "null"}]}


if __name__ == "__main__":
    FILE.write_text(text(stack_schema()), encoding="utf-8")
    SHARED_FILE.write_text(text(shared_schema()), encoding="utf-8")
