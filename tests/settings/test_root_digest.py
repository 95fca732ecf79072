"""The digest of a root configuration: another configuration has another one."""

from typing import Any

import pytest

from settings.load import from_values


def digest(engine: dict[str, Any], region: str = "us-west-2") -> str:
    config = {"aws:region": region, "vault-aws:engines": {"aws": engine}}
    settings = from_values(config, "dev", "Pulumi.dev.yaml")
    return settings.engines["aws"].root_digest(settings.region)


@pytest.mark.parametrize(
    "change",
    [
        {"region": "eu-west-1"},
        {"iamEndpoint": "http://localhost:1"},
        {"stsEndpoint": "http://localhost:1"},
        {"usernameTemplate": "vault-{{ random 20 }}"},
        {"maxRetries": 3},
    ],
)
def test_every_field_of_the_root_configuration_counts(change: dict[str, Any]) -> None:
    assert digest(change) != digest({})


def test_nothing_else_counts() -> None:
    assert digest({"defaultLeaseTtl": "30m", "description": "other"}) == digest({})
    assert digest({"region": "us-west-2"}) == digest({})
    assert digest({}, "eu-west-1") != digest({})
