"""The JSON Schema of a stack file, made from the settings, so that an editor completes and checks it.

`python -m settings.schema` writes it anew; a test holds it current.
"""

import json
from pathlib import Path
from typing import Any

from settings.load import NAMESPACE
from settings.model import Settings

FILE = Path(__file__).parent / "stack.schema.json"


def stack_schema() -> dict[str, Any]:
    """The schema of `Pulumi.<stack>.yaml`: this project's settings in full, other namespaces as they are."""
    model = Settings.model_json_schema(by_alias=True)
    definitions = model.pop("$defs")
    own = {f"{NAMESPACE}:{key}": value for key, value in model["properties"].items() if key != "region"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of vault-aws",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {
                    **own,
                    "aws:region": {"type": "string", "description": "The stack's region."},
                    "vault:address": {"type": "string", "description": "The address of the Vault server."},
                },
                "patternProperties": {f"^(?!{NAMESPACE}:)": {}},
                "additionalProperties": False,
                "required": ["aws:region"],
            }
        },
        "required": ["config"],
        "$defs": definitions,
    }


def text() -> str:
    """The schema as it is checked in."""
    return json.dumps(stack_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
