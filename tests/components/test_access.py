"""Access: policies, auth methods and bindings as Vault's provider receives them."""

import json
from typing import Any

import pulumi
import pytest

from components.access import (
    AppRoleAccess,
    AppRoleAccessArgs,
    GroupAccess,
    GroupAccessArgs,
    JwtAccess,
    JwtAccessArgs,
    KubernetesAccess,
    KubernetesAccessArgs,
)
from components.auth_method import DESCRIPTION, AuthMethod, AuthMethodArgs
from components.vault_policies import VaultPolicies
from tests.components.conftest import Recorder

TOKENS: dict[str, Any] = {"tokenPolicies": ["aws-reader"], "tokenTtl": 3600, "tokenMaxTtl": 14400}
APP: AppRoleAccessArgs = {
    "mount": "approle",
    "policies": ["aws-reader"],
    "token_ttl": 3600,
    "token_max_ttl": 14400,
    "token_bound_cidrs": ["10.0.0.1"],
    "secret_id_ttl": 600,
    "secret_id_num_uses": 1,
    "secret_id_bound_cidrs": ["10.0.0.1/32"],
}
JOB: JwtAccessArgs = {
    "mount": "ci",
    "policies": ["aws-reader"],
    "token_ttl": 3600,
    "token_max_ttl": 14400,
    "bound_audiences": ["vault"],
    "bound_subject": "repo:example/orders:environment:prod",
    "bound_claims": {"ref": ["refs/heads/main", "refs/heads/release"]},
    "bound_claims_type": "string",
    "user_claim": "sub",
}
POD: KubernetesAccessArgs = {
    "mount": "cluster",
    "policies": ["aws-reader"],
    "token_ttl": 3600,
    "token_max_ttl": 14400,
    "service_accounts": ["reporter"],
    "namespaces": ["reports"],
    "audience": "vault",
}


def test_policies_are_written_under_their_names(recorder: Recorder) -> None:
    text = json.dumps({"path": {}})
    names = recorder.run(lambda: VaultPolicies("aws", {"policies": {"aws-a": text, "aws-b": text}}).names)
    assert names == ["aws-a", "aws-b"]
    policies = recorder.of("vault:index/policy:Policy")
    assert {name: policy.inputs for name, policy in policies.items()} == {
        name: {"name": name, "policy": text} for name in names
    }
    assert {policy.parent for policy in policies.values()} == {"aws"}


def test_an_approle_always_asks_for_a_secret_id(recorder: Recorder) -> None:
    assert recorder.run(lambda: AppRoleAccess("reporting", APP).login) == "auth/approle/login"
    assert recorder.of("vault:appRole/authBackendRole:AuthBackendRole")["reporting-approle"].inputs == {
        "backend": "approle",
        "roleName": "reporting",
        "bindSecretId": True,
        "secretIdTtl": 600,
        "secretIdNumUses": 1,
        "secretIdBoundCidrs": ["10.0.0.1/32"],
        "tokenBoundCidrs": ["10.0.0.1"],
        **TOKENS,
    }


def test_a_job_is_bound_by_audience_subject_and_claims(recorder: Recorder) -> None:
    assert recorder.run(lambda: JwtAccess("deployer", JOB).login) == "auth/ci/login"
    assert recorder.of("vault:jwt/authBackendRole:AuthBackendRole")["deployer-jwt"].inputs == {
        "backend": "ci",
        "roleName": "deployer",
        "roleType": "jwt",
        "userClaim": "sub",
        "boundAudiences": ["vault"],
        "boundSubject": "repo:example/orders:environment:prod",
        "boundClaims": {"ref": "refs/heads/main,refs/heads/release"},
        "boundClaimsType": "string",
        **TOKENS,
    }


def test_a_pod_is_bound_by_service_account_and_namespace(recorder: Recorder) -> None:
    assert recorder.run(lambda: KubernetesAccess("pods", POD).login) == "auth/cluster/login"
    assert recorder.of("vault:kubernetes/authBackendRole:AuthBackendRole")["pods-kubernetes"].inputs == {
        "backend": "cluster",
        "roleName": "pods",
        "boundServiceAccountNames": ["reporter"],
        "boundServiceAccountNamespaces": ["reports"],
        "audience": "vault",
        **TOKENS,
    }


def test_a_group_of_entities_lists_them(recorder: Recorder) -> None:
    args: GroupAccessArgs = {"policies": ["aws-reader"], "entities": ["0f02"]}
    assert recorder.run(lambda: GroupAccess("named", args).login) == "identity/group/name/named"
    assert recorder.of("vault:identity/group:Group")["named-group"].inputs == {
        "name": "named",
        "type": "internal",
        "policies": ["aws-reader"],
        "memberEntityIds": ["0f02"],
    }
    assert recorder.of("vault:identity/groupAlias:GroupAlias") == {}


def test_a_group_that_an_auth_method_reports_has_an_alias(recorder: Recorder) -> None:
    args: GroupAccessArgs = {"policies": ["aws-reader"], "mount": "oidc", "alias": "platform"}
    recorder.run(lambda: GroupAccess("team", args).login)
    assert recorder.of("vault:identity/group:Group")["team-group"].inputs["type"] == "external"
    alias = recorder.of("vault:identity/groupAlias:GroupAlias")["team-alias"]
    assert alias.inputs["name"] == "platform"
    assert alias.dependencies >= {"team-group"}


@pytest.mark.parametrize("args", [{}, {"alias": "x"}, {"mount": "x"}, {"mount": "x", "alias": "y", "entities": ["z"]}])
def test_a_group_of_neither_or_both_kinds_is_an_error(recorder: Recorder, args: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give mount and alias, or entities"):
        recorder.run(lambda: GroupAccess("team", {"policies": [], **args}).login)  # type: ignore[typeddict-item]


METHODS: list[tuple[AuthMethodArgs, str, dict[str, Any]]] = [
    ({"path": "apps", "type": "approle"}, "vault:index/authBackend:AuthBackend", {"path": "apps", "type": "approle"}),
    (
        {"path": "ci", "type": "jwt", "bound_issuer": "i", "oidc_discovery_url": "https://i", "ca_certificate": "PEM"},
        "vault:jwt/authBackend:AuthBackend",
        {"path": "ci", "type": "jwt", "boundIssuer": "i", "oidcDiscoveryUrl": "https://i", "oidcDiscoveryCaPem": "PEM"},
    ),
    (
        {"path": "ci", "type": "jwt", "bound_issuer": "i", "jwks_url": "https://i", "ca_certificate": "PEM"},
        "vault:jwt/authBackend:AuthBackend",
        {"path": "ci", "type": "jwt", "boundIssuer": "i", "jwksUrl": "https://i", "jwksCaPem": "PEM"},
    ),
    (
        {"path": "ci", "type": "jwt", "bound_issuer": "i", "validation_public_keys": ["PEM"]},
        "vault:jwt/authBackend:AuthBackend",
        {"path": "ci", "type": "jwt", "boundIssuer": "i", "jwtValidationPubkeys": ["PEM"]},
    ),
]


@pytest.mark.parametrize(("args", "type_", "inputs"), METHODS, ids=[str(case[2]) for case in METHODS])
def test_an_auth_method_is_mounted_as_declared(
    recorder: Recorder, args: AuthMethodArgs, type_: str, inputs: dict[str, Any]
) -> None:
    assert recorder.run(lambda: AuthMethod("it", args).path) == args["path"]
    assert recorder.of(type_)["it-mount"].inputs == {**inputs, "description": DESCRIPTION}


@pytest.mark.parametrize("authority", ["PEM", None])
def test_a_vault_outside_the_cluster_is_given_its_ca_and_asks_with_the_callers_token(
    recorder: Recorder, authority: str | None
) -> None:
    args: AuthMethodArgs = {"path": "cluster", "type": "kubernetes", "host": "https://k8s", "ca_certificate": authority}
    recorder.run(lambda: AuthMethod("cluster", args).path)
    config = recorder.of("vault:kubernetes/authBackendConfig:AuthBackendConfig")["cluster-config"]
    expected: dict[str, Any] = {"backend": "cluster", "kubernetesHost": "https://k8s"}
    if authority:
        expected["kubernetesCaCert"] = authority
    assert config.inputs == {**expected, "disableLocalCaJwt": authority is not None}


def test_a_binding_waits_until_a_new_auth_method_is_configured(recorder: Recorder) -> None:
    def program() -> pulumi.Output[str]:
        args: AuthMethodArgs = {"path": "cluster", "type": "kubernetes", "host": "https://k8s"}
        return KubernetesAccess("pods", {**POD, "mount": AuthMethod("cluster", args).path}).login

    recorder.run(program)
    role = recorder.of("vault:kubernetes/authBackendRole:AuthBackendRole")["pods-kubernetes"]
    assert role.dependencies >= {"cluster-mount", "cluster-config"}


def test_an_unknown_type_is_an_error(recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="it may be one of approle, jwt, kubernetes"):
        recorder.run(lambda: AuthMethod("x", {"path": "x", "type": "userpass"}).path)
