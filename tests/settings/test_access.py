"""Access in the settings: what it comes to, and every fault as the person reads it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.access import OPERATOR, policy_name
from settings.claims import identifies
from settings.faults import FaultsError
from settings.load import from_values
from settings.model import Settings

USER = {"credentialType": "iam_user", "policy": "r.json"}
GITHUB = "https://token.actions.githubusercontent.com"
KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0=\n-----END PUBLIC KEY-----\n"
JOB: dict[str, Any] = {"boundAudiences": ["vault"], "boundSubject": "repo:example/orders:environment:prod"}
POD: dict[str, Any] = {"serviceAccounts": ["reporter"], "namespaces": ["reports"]}
ENTITY = "0f029e16-107c-fcef-34e3-a7986b496018"


def settings_of(access: Any = None, methods: Any = None, **others: Any) -> Settings:
    config = {
        "aws:region": "us-west-2",
        "vault-aws:roles": {"reader": USER},
        "vault-aws:access": access or {},
        "vault-aws:authMethods": methods or {},
        **{f"vault-aws:{key}": value for key, value in others.items()},
    }
    return from_values(config, "dev", "Pulumi.dev.yaml")


def faults_of(access: Any = None, methods: Any = None, **others: Any) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        settings_of(access, methods, **others)
    return [line.removeprefix("Pulumi.dev.yaml: ") for line in str(caught.value).splitlines()]


def test_a_binding_has_the_policies_of_its_roles_and_engines() -> None:
    access = {"job": {"roles": ["reader"], "operatorOf": ["aws"], "jwt": JOB}}
    settings = settings_of(access, engines={"aws": {"path": "Teams/data"}})
    assert settings.policies_of(settings.access["job"]) == ["teams-data-operator", "teams-data-reader"]


def test_a_static_role_is_bound_like_any_other() -> None:
    static = {"legacy": {"userName": "legacy-batch", "rotationPeriod": "24h"}}
    settings = settings_of({"job": {"roles": ["legacy"], "jwt": JOB}}, staticRoles=static)
    assert settings.policies_of(settings.access["job"]) == ["aws-legacy"]


def test_each_way_reaches_its_component_with_seconds_and_without_what_is_left_out() -> None:
    access = {
        "app": {
            "roles": ["reader"],
            "appRole": {"secretIdTtl": "1h", "tokenBoundCidrs": ["10.0.0.1/32", "10.1.0.0/16"]},
        },
        "job": {"roles": ["reader"], "jwt": JOB | {"mount": "ci", "boundClaims": {"ref": "refs/heads/main"}}},
        "pod": {"roles": ["reader"], "kubernetes": POD},
        "team": {"roles": ["reader"], "group": {"mount": "oidc", "alias": "platform team"}},
        "ann": {"roles": ["reader"], "group": {"entities": [ENTITY]}},
    }
    tokens = {"token_ttl": 3600, "token_max_ttl": 14400}
    bindings = settings_of(access).access
    assert {name: (binding.method, binding.mount, binding.vault_fields()) for name, binding in bindings.items()} == {
        "app": (
            "app_role",
            "approle",
            # Vault gives one address back without its mask.
            {
                **tokens,
                "secret_id_ttl": 3600,
                "secret_id_num_uses": 0,
                "token_bound_cidrs": ["10.0.0.1", "10.1.0.0/16"],
            },
        ),
        "job": (
            "jwt",
            "ci",
            {
                **tokens,
                "bound_audiences": ["vault"],
                "bound_subject": JOB["boundSubject"],
                "bound_claims": {"ref": ["refs/heads/main"]},
                "bound_claims_type": "string",
                "user_claim": "sub",
            },
        ),
        "pod": ("kubernetes", "kubernetes", {**tokens, "service_accounts": ["reporter"], "namespaces": ["reports"]}),
        "team": ("group", "oidc", {"alias": "platform team"}),
        "ann": ("group", None, {"entities": [ENTITY]}),
    }


EVERYONE = (
    "lets in everyone to whom the issuer gives tokens; write boundSubject, or in boundClaims one that says who the "
    "caller is, such as sub or repository, without a * before its owner"
)
OPEN_JWTS: list[tuple[dict[str, Any], str]] = [
    ({}, EVERYONE),
    ({"boundClaims": {"ref": "refs/heads/main", "environment": "prod"}}, EVERYONE),
    ({"boundClaims": {"iss": GITHUB, "aud": "vault"}}, EVERYONE),
    ({"boundClaims": {"sub": "repo:*:environment:prod"}, "boundClaimsType": "glob"}, EVERYONE),
    ({"boundClaims": {"sub": "repo:exam*/orders"}, "boundClaimsType": "glob"}, EVERYONE),
    ({"boundClaims": {"sub": "project_path:exam*:ref_type:branch:ref:main"}, "boundClaimsType": "glob"}, EVERYONE),
    ({"boundClaims": {"repository": "example*"}, "boundClaimsType": "glob"}, EVERYONE),
    ({"boundClaims": {"repository_owner": "exam*"}, "boundClaimsType": "glob"}, EVERYONE),
    ({"boundClaims": {"repository": ["example/orders", "*/orders"]}, "boundClaimsType": "glob"}, EVERYONE),
    (
        {"boundClaims": {"sub": "*"}, "boundClaimsType": "glob"},
        "boundClaims.sub: '*' is true of every token that has the claim; name its value",
    ),
    (
        {"boundSubject": "x", "boundClaims": {"ref": "**"}, "boundClaimsType": "glob"},
        "boundClaims.ref: '**' is true of every token that has the claim; name its value",
    ),
    (
        {"boundClaims": {"sub": "repo:example/*"}},
        "boundClaims.sub: 'repo:example/*' is compared letter by letter; write it in full, or set "
        "boundClaimsType: glob",
    ),
    (
        {"boundSubject": "*"},
        "boundSubject '*' is not one subject; write it in full, or match it with boundClaims: {sub: …} and "
        "boundClaimsType: glob",
    ),
    (
        {"boundSubject": " "},
        "boundSubject ' ' is not one subject; write it in full, or match it with boundClaims: {sub: …} and "
        "boundClaimsType: glob",
    ),
    (
        {"boundClaims": {"repository": "example/a,example/b"}},
        "boundClaims.repository: 'example/a,example/b' holds a comma, which separates values; write a list",
    ),
]


@pytest.mark.parametrize(("jwt", "message"), OPEN_JWTS, ids=[str(case[0]) for case in OPEN_JWTS])
def test_a_jwt_binding_that_is_open_to_everyone_is_refused(jwt: dict[str, Any], message: str) -> None:
    access = {"job": {"roles": ["reader"], "jwt": {"boundAudiences": ["vault"], **jwt}}}
    assert faults_of(access) == [f"access.job.jwt: {message}"]


CLOSED_JWTS: list[dict[str, Any]] = [
    {"boundSubject": "repo:example/orders:ref:refs/heads/main"},
    {"boundClaims": {"repository": ["example/orders", "example/payments"], "ref": "refs/heads/main"}},
    {"boundClaims": {"sub": "repo:example/orders:*"}, "boundClaimsType": "glob"},
    {"boundClaims": {"repository_owner_id": "1234", "sub": "*:environment:prod"}, "boundClaimsType": "glob"},
]


@pytest.mark.parametrize("jwt", CLOSED_JWTS, ids=str)
def test_a_jwt_binding_that_names_somebody_is_taken(jwt: dict[str, Any]) -> None:
    assert settings_of({"job": {"roles": ["reader"], "jwt": {"boundAudiences": ["vault"], **jwt}}})


NAMESPACE = "lets in whoever may make a namespace, or is none; name the namespace, or begin with its name"
ACCESS_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"roles": ["reader"]}, ": has none of appRole, jwt, kubernetes and group; write one of them"),
    (
        {"roles": ["reader"], "appRole": {}, "kubernetes": POD},
        ": has 2 of appRole, jwt, kubernetes and group; write one of them, and a binding for each other",
    ),
    ({"appRole": {}}, ": grants nothing; name roles, or operatorOf"),
    ({"roles": ["raeder"], "appRole": {}}, ".roles[0]: 'raeder' is not a role; did you mean 'reader'?"),
    ({"operatorOf": ["awz"], "appRole": {}}, ".operatorOf[0]: 'awz' is not an engine; did you mean 'aws'?"),
    ({"roles": ["reader", "reader"], "appRole": {}}, ".roles: 'reader' stands there 2 times; once is enough"),
    ({"rolls": ["reader"], "appRole": {}}, ".rolls: is not a setting; did you mean 'roles'?"),
    (
        {"roles": ["reader"], "appRole": {"tokenTTL": "1h"}},
        ".appRole.tokenTTL: is not a setting; did you mean 'tokenTtl'?",
    ),
    (
        {"roles": ["reader"], "appRole": {"tokenTtl": "5h"}},
        ".appRole: tokenTtl (5h0m0s) is over tokenMaxTtl (4h0m0s); lower it, or raise tokenMaxTtl",
    ),
    (
        {"roles": ["reader"], "appRole": {"tokenBoundCidrs": ["0.0.0.0/0"]}},
        ".appRole.tokenBoundCidrs[0]: '0.0.0.0/0' is every address; name a network, or leave it out",
    ),
    (
        {"roles": ["reader"], "appRole": {"secretIdBoundCidrs": ["10.0.0.1/8"]}},
        ".appRole.secretIdBoundCidrs[0]: '10.0.0.1/8' is not how that network is written; write '10.0.0.0/8'",
    ),
    (
        {"roles": ["reader"], "appRole": {"tokenBoundCidrs": ["office"]}},
        ".appRole.tokenBoundCidrs[0]: 'office' is not a network; write one such as 10.20.0.0/16",
    ),
    (
        {"roles": ["reader"], "appRole": {"mount": "token"}},
        ".appRole.mount: 'token' is where Vault's own tokens are; name another path, such as approle",
    ),
    (
        {"roles": ["reader"], "appRole": {"mount": "ci"}},
        ".appRole.mount: 'ci' is of type jwt in authMethods; name one of type approle",
    ),
    (
        {"roles": ["reader"], "jwt": {"boundSubject": "x"}},
        ".jwt.boundAudiences: is missing; write the audiences of which the token must name one: for whom it was made",
    ),
    (
        {"roles": ["reader"], "jwt": {"boundSubject": "x", "boundAudiences": []}},
        ".jwt.boundAudiences: is empty; name at least 1",
    ),
    (
        {"roles": ["reader"], "jwt": {"boundSubject": "x", "boundAudiences": ["*"]}},
        ".jwt.boundAudiences[0]: '*' cannot be an audience; write the token's `aud`, without *",
    ),
    (
        {"roles": ["reader"], "kubernetes": {"serviceAccounts": ["*"], "namespaces": ["*"]}},
        f".kubernetes.namespaces[0]: '*' {NAMESPACE}",
    ),
    (
        {"roles": ["reader"], "kubernetes": {"serviceAccounts": ["default"], "namespaces": ["*-prod"]}},
        f".kubernetes.namespaces[0]: '*-prod' {NAMESPACE}",
    ),
    (
        {"roles": ["reader"], "kubernetes": {"namespaces": ["reports"]}},
        ".kubernetes.serviceAccounts: is missing; write the names of the service accounts; `*` for all of these "
        "namespaces",
    ),
    ({"roles": ["reader"], "group": {}}, ".group: a group is either mount and alias, or entities; write one of these"),
    (
        {"roles": ["reader"], "group": {"alias": "x"}},
        ".group: a group is either mount and alias, or entities; write one of these",
    ),
    (
        {"roles": ["reader"], "group": {"mount": "oidc", "alias": "x", "entities": [ENTITY]}},
        ".group: a group is either mount and alias, or entities; write one of these",
    ),
    (
        {"roles": ["reader"], "group": {"mount": "oidc", "alias": "*"}},
        ".group.alias: '*' is not a group's name; write it as the auth method reports it",
    ),
    (
        {"roles": ["reader"], "group": {"entities": ["ann"]}},
        ".group.entities[0]: 'ann' is not the id of a Vault entity; write it as `vault list identity/entity/id` does",
    ),
]


@pytest.mark.parametrize(("binding", "message"), ACCESS_FAULTS, ids=[case[1] for case in ACCESS_FAULTS])
def test_a_fault_of_a_binding_says_what_would_be_right(binding: dict[str, Any], message: str) -> None:
    methods = {"ci": {"type": "jwt", "boundIssuer": GITHUB, "oidcDiscoveryUrl": GITHUB}}
    assert faults_of({"it": binding}, methods) == [f"access.it{message}"]


def test_one_alias_in_two_bindings_is_refused() -> None:
    team = {"roles": ["reader"], "group": {"mount": "oidc", "alias": "platform"}}
    assert faults_of({"one": team, "two": team}) == [
        "access.two.group.alias: 'platform' is that of access.one too, and in Vault it belongs to one group; "
        "name all of its roles there"
    ]


METHOD_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({}, ": has no type; write one of: approle, jwt, kubernetes"),
    ({"type": "aprole"}, ": type 'aprole' is not a type of auth method that is made here; did you mean 'approle'?"),
    ({"type": "approle", "host": "https://x"}, ".host: is not a setting; it may be one of: type"),
    (
        {"type": "jwt", "oidcDiscoveryUrl": GITHUB},
        ".boundIssuer: is missing; write the issuer (`iss`) that every token must name",
    ),
    (
        {"type": "jwt", "boundIssuer": GITHUB},
        ": write one of oidcDiscoveryUrl, jwksUrl and validationPublicKeys",
    ),
    (
        {"type": "jwt", "boundIssuer": GITHUB, "oidcDiscoveryUrl": GITHUB, "validationPublicKeys": [KEY]},
        ": write one of oidcDiscoveryUrl, jwksUrl and validationPublicKeys",
    ),
    (
        {"type": "jwt", "boundIssuer": GITHUB, "jwksUrl": "http://keys.example"},
        ".jwksUrl: 'http://keys.example' is not an https URL; Vault takes proof of who a caller is from there, so "
        "nobody else must answer",
    ),
    (
        {"type": "jwt", "boundIssuer": GITHUB, "validationPublicKeys": ["AAAA"]},
        ".validationPublicKeys[0]: is not a certificate or public key in PEM form; write it from -----BEGIN "
        "to the end of -----END …-----",
    ),
    ({"type": "kubernetes"}, ".host: is missing; write the address of the cluster's API"),
]


@pytest.mark.parametrize(("method", "message"), METHOD_FAULTS, ids=[case[1] for case in METHOD_FAULTS])
def test_a_fault_of_an_auth_method_says_what_would_be_right(method: dict[str, Any], message: str) -> None:
    # The path is also a type's name, which must not be taken for the type.
    assert faults_of(methods={"jwt": method}) == [f"authMethods.jwt{message}"]


def test_auth_methods_do_not_nest() -> None:
    assert faults_of(methods={"ci": {"type": "approle"}, "ci/orders": {"type": "approle"}}) == [
        "authMethods.ci/orders: lies inside 'ci'; Vault nests no mounts, so give it another path"
    ]


def test_a_private_key_is_no_validation_key() -> None:
    private = KEY.replace("PUBLIC", "PRIVATE")
    [fault] = faults_of(methods={"ci": {"type": "jwt", "boundIssuer": GITHUB, "validationPublicKeys": [private]}})
    assert fault == (
        "authMethods.ci.validationPublicKeys[0]: is not a certificate or public key in PEM form; write it from "
        "-----BEGIN to the end of -----END …-----"
    )


COLLISIONS: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"roles": {"Reader": USER, "reader": USER}},
        [
            "roles.reader: its Vault policy would be 'aws-reader', which is that of Reader of aws (roles.Reader); "
            "rename one of them"
        ],
    ),
    (
        {"roles": {"operator": USER}},
        [
            "roles.operator: its Vault policy would be 'aws-operator', which is that of operator of aws "
            "(engines.aws.path); rename one of them"
        ],
    ),
    (
        {
            "engines": {"one": {"path": "a/b"}, "two": {"path": "a"}},
            "roles": {"c": USER | {"engine": "one"}, "b-c": USER | {"engine": "two"}},
        },
        ["engines.two.path: 'a' collides with 'a/b' of engine one; Vault nests no mounts"],
    ),
    (
        {
            "engines": {"one": {"path": "a-b"}, "two": {"path": "a"}},
            "roles": {"c": USER | {"engine": "one"}, "b-c": USER | {"engine": "two"}},
        },
        ["roles.b-c: its Vault policy would be 'a-b-c', which is that of c of a-b (roles.c); rename one of them"],
    ),
    (
        {"engines": {"aws": {"path": "response"}}, "roles": {"wrapping": USER}},
        [
            "roles.wrapping: its Vault policy would be 'response-wrapping', which is that of Vault itself; "
            "rename one of them"
        ],
    ),
]


@pytest.mark.parametrize(("others", "faults"), COLLISIONS, ids=[case[1][0] for case in COLLISIONS])
def test_two_policies_never_have_one_name(others: dict[str, Any], faults: list[str]) -> None:
    assert [fault for fault in faults_of(**others) if "policy" in fault or "collides" in fault][:1] == faults


def test_a_static_role_and_a_role_do_not_share_a_name() -> None:
    static = {"reader": {"userName": "legacy-batch", "rotationPeriod": "24h"}}
    assert "staticRoles.reader: is the name of a role too; rename one of them, so that access can tell them apart" in (
        faults_of(staticRoles=static)
    )


@given(st.lists(st.sampled_from(["aws", "a-b", "a", "Teams/data"])), st.text("abc-_.@/", min_size=1))
def test_a_policy_name_is_what_vault_keeps(mounts: list[str], role: str) -> None:
    for mount in mounts:
        name = policy_name(mount, role.replace("/", ""))
        assert name == name.lower()
        assert "/" not in name
        assert policy_name(mount, OPERATOR) == policy_name(mount.lower(), OPERATOR)


@given(st.text("*:/repoxab", min_size=1), st.text("*:/repoxab", min_size=1))
def test_a_pattern_that_two_owners_match_identifies_nobody(one: str, other: str) -> None:
    pattern = f"repo:{one}"
    if "*" in pattern.partition("/")[0]:
        assert not identifies({"sub": [pattern, f"repo:example/{other}"]}, glob=True)
