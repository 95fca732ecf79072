"""How Vault is reached: by the configuration first, by the environment second."""

from typing import Any

import pytest

from settings.vault_connection import VaultConnection

CASES: list[tuple[dict[str, Any], dict[str, str], VaultConnection]] = [
    ({}, {}, VaultConnection("")),
    ({}, {"VAULT_ADDR": "https://a", "VAULT_NAMESPACE": "team"}, VaultConnection("https://a", None, "team")),
    (
        {"vault:address": "https://b", "vault:namespace": "other"},
        {"VAULT_ADDR": "https://a", "VAULT_NAMESPACE": "team"},
        VaultConnection("https://b", None, "other"),
    ),
    ({"vault:address": "https://b", "vault:caCertFile": "ca.pem"}, {}, VaultConnection("https://b", "ca.pem")),
    ({"vault:address": "https://b", "vault:caCertDir": "certs"}, {}, VaultConnection("https://b", "certs")),
    ({"vault:address": "https://b", "vault:skipTlsVerify": True}, {}, VaultConnection("https://b", verify=False)),
    ({"vault:address": "https://b"}, {"VAULT_SKIP_VERIFY": "1"}, VaultConnection("https://b", verify=False)),
    (
        {"vault:address": "https://b", "vault:caCertFile": "ca.pem", "vault:skipTlsVerify": "false"},
        {},
        VaultConnection("https://b", "ca.pem"),
    ),
]


@pytest.mark.parametrize(("config", "env", "expected"), CASES)
def test_the_configuration_comes_first(
    config: dict[str, Any], env: dict[str, str], expected: VaultConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VAULT_ADDR", "VAULT_NAMESPACE", "VAULT_SKIP_VERIFY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert VaultConnection.of(config) == expected
