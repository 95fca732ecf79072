"""Static roles: whose keys Vault must not rotate, or not twice."""

from typing import Any

import pytest

from settings.faults import FaultsError
from settings.load import from_values

DAILY = {"rotationPeriod": "24h"}


def faults_of(static_roles: dict[str, Any], **engines: Any) -> list[str]:
    config = {
        "aws:region": "us-west-2",
        "vault-aws:engines": engines or {"aws": {}},
        "vault-aws:staticRoles": static_roles,
    }
    with pytest.raises(FaultsError) as caught:
        from_values(config, "dev", "Pulumi.dev.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", ["secrets-engine-dev-aws", "Secrets-Engine-Dev-AWS"])
def test_vaults_own_user_is_not_rotated_by_a_static_role(name: str) -> None:
    assert faults_of({"own": {"userName": name, "userPath": "/elsewhere/", **DAILY}}) == [
        f"Pulumi.dev.yaml: staticRoles.own.userName: {name!r} is the user whose key engine aws works with, and each "
        "rotation here would end that key; `rotation` of the engine says who rotates it, so name another user"
    ]


def test_nor_is_that_of_another_engine() -> None:
    engines = {"aws": {}, "slow": {"vaultUser": {"name": "slow-root"}}}
    [fault] = faults_of({"own": {"engine": "aws", "userName": "slow-root", **DAILY}}, **engines)
    assert "whose key engine slow works with" in fault


def test_a_user_has_one_static_role() -> None:
    assert faults_of({"one": {"userName": "ada", **DAILY}, "two": {"userName": "Ada", **DAILY}}) == [
        "Pulumi.dev.yaml: staticRoles.two.userName: 'Ada' is the user of staticRoles.one too, and each would delete "
        "the keys of the other; keep one of them, and give access to it"
    ]
