"""What is generated from the settings is current, and agrees with what is checked in by hand."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from settings import reference
from settings.files import NAMESPACE
from settings.model import Settings
from settings.schema import FILE, SHARED_FILE, shared_schema, stack_schema, text
from settings.types import Model
from tools.paths import PROJECT

STACKS = sorted(PROJECT.glob("Pulumi.*.yaml"))


def test_the_schemas_are_current() -> None:
    assert FILE.read_text(encoding="utf-8") == text(stack_schema()), "run `make schema`"
    assert SHARED_FILE.read_text(encoding="utf-8") == text(shared_schema()), "run `make schema`"


def test_the_reference_is_current() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.text(), "run `make schema`"


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_every_stack_file_fits_the_schema(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text()), stack_schema())


def test_the_shared_file_fits_its_schema() -> None:
    jsonschema.validate(yaml.safe_load((PROJECT / "shared-settings.yaml").read_text()), shared_schema())


@pytest.mark.parametrize(
    "role", [{"maxStsTtl": "30m"}, {"credentialType": "iam_user", "tags": {"team": None}}, None], ids=str
)
def test_a_part_of_a_role_fits_the_schema(role: Any) -> None:
    jsonschema.validate({"config": {"aws:region": "us-west-2", "vault-aws:roles": {"deploy": role}}}, stack_schema())


@pytest.mark.parametrize(
    "config", [{"aws:region": "us-west-2"}, {"vault-aws:protect": True}, {"vault-aws:role": {}}], ids=str
)
def test_the_schema_refuses_what_cannot_be_shared(config: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": config}, shared_schema())


@pytest.mark.parametrize(
    "config",
    [
        {"aws:region": "us-west-2", "vault-aws:role": {}},
        {"aws:region": "us-west-2", "vault-aws:roles": {"r": {"credentialType": "iam_usr"}}},
        {"aws:region": "us-west-2", "vault-aws:engines": {"aws": {"maxLeaseTtl": 5}}},
        {},
    ],
)
def test_the_schema_refuses_what_the_settings_refuse(config: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": config}, stack_schema())


def test_pulumi_yaml_declares_every_setting_with_a_description() -> None:
    declared = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    keys = {field.alias or name for name, field in Settings.model_fields.items()} - {"region"}
    assert set(declared) == {f"{NAMESPACE}:{key}" for key in keys}
    assert all(entry["description"] and "default" in entry for entry in declared.values())


def test_every_setting_is_described() -> None:
    undescribed = []

    def walk(schema: Any, place: str) -> None:
        for name, field in schema.get("properties", {}).items():
            if not field.get("description"):
                undescribed.append(f"{place}.{name}")

    for name, definition in stack_schema()["$defs"].items():
        walk(definition, name)
    assert undescribed == []
    assert issubclass(Settings, Model)
