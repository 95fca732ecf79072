"""The rules of the policy pack as plain functions, on made-up resources."""

import json
from datetime import date
from typing import Any

import pytest
from pulumi_policy import Secret
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from documents.stack import StackDocuments, read_stack
from documents.vault_policies import engine_policies
from policy_pack.facts import ENVIRONMENTS, Facts, facts_of
from policy_pack.keys import AUDIT, USER, audited, key_age
from policy_pack.roles import BACKEND, ENDPOINT, ROLE, boundary, least_privilege, lifetimes
from policy_pack.secret_inputs import plain_secrets
from policy_pack.vault_policies import POLICY, narrow_policies
from settings.load import read_config
from tools.paths import PROJECT

TODAY = date(2026, 11, 24)
PROD = facts_of({}, "prod", TODAY)
STACKS = sorted(PROJECT.glob("Pulumi.*.yaml"))


def document(action: Any, resource: Any = "*") -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}
    )


def role(**props: Any) -> dict[str, Any]:
    return {"name": "r", "credentialType": "iam_user", "permissionsBoundaryArn": "arn", **props}


def endpoint(path: str, **data: Any) -> dict[str, Any]:
    return {"path": path, "dataJson": json.dumps(data)}


# --- facts ---


@pytest.mark.parametrize(
    ("stack", "config", "name"),
    [
        ("dev", {}, "dev"),
        ("dev", {"vault-aws:environment": ""}, "dev"),
        ("team-one", {"vault-aws:environment": "staging"}, "staging"),
    ],
)
def test_the_environment_is_the_settings_or_the_stacks_name(stack: str, config: dict[str, Any], name: str) -> None:
    facts = facts_of(config, stack, TODAY)
    assert (facts.name, facts.environment) == (name, ENVIRONMENTS[name])


def test_an_unknown_environment_is_held_to_what_prod_is() -> None:
    assert facts_of({}, "qa", TODAY).environment == ENVIRONMENTS["prod"]
    assert [name for name, environment in ENVIRONMENTS.items() if not environment.mandatory] == ["local"]


EXEMPTION = {"findings": ["wildcard-action"], "reason": "as an example", "expires": "2026-11-24"}


@pytest.mark.parametrize(
    ("exemptions", "kinds"),
    [
        ([EXEMPTION], {"wildcard-action"}),
        ([EXEMPTION | {"expires": "2026-11-23"}], set()),
        ([EXEMPTION | {"expires": "soon"}], set()),
        ([EXEMPTION | {"reason": " "}], set()),
        ([{"findings": ["wildcard-action"]}], set()),
        ("wildcard-action", set()),
        (None, set()),
    ],
)
def test_an_exemption_counts_with_a_reason_and_until_its_end(exemptions: Any, kinds: set[str]) -> None:
    facts = facts_of({"vault-aws:roles": {"r": {"exemptions": exemptions}}}, "prod", TODAY)
    assert facts.exempted["r"] == kinds


@pytest.mark.parametrize("config", [{"vault-aws:roles": "x"}, {"vault-aws:roles": {"r": 1}}, {"vault-aws:audit": []}])
def test_configuration_of_another_form_exempts_nothing(config: dict[str, Any]) -> None:
    facts = facts_of(config, "prod", TODAY)
    assert not any(facts.exempted.values())
    assert not facts.devices_of_others


# --- roles ---


def test_a_wide_role_is_refused_by_whichever_resource_it_is_made() -> None:
    by_role = list(least_privilege(ROLE, role(policyDocument=document("s3:*")), PROD))
    data = endpoint("aws/roles/r", credential_type="iam_user", policy_document=document("s3:*"))
    assert by_role == list(least_privilege(ENDPOINT, data, PROD))
    assert [message.split(" at ")[0] for message in by_role] == [
        "Role r has a wildcard-action",
        "Role r has a wildcard-resource",
        "Role r has a data-exposure",
    ]


def test_a_role_is_let_off_what_it_is_exempted_from_and_no_more() -> None:
    facts = Facts("prod", ENVIRONMENTS["prod"], TODAY, {"r": frozenset({"wildcard-action", "wildcard-resource"})})
    [message] = least_privilege(ROLE, role(policyDocument=document("s3:*")), facts)
    assert "data-exposure" in message
    assert len(list(least_privilege(ROLE, role(name="s", policyDocument=document("s3:*")), facts))) == 3


def test_managed_policies_for_administrators_are_refused() -> None:
    arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    assert list(least_privilege(ROLE, role(policyArns=arns), PROD))
    text = endpoint("aws/roles/r", credential_type="iam_user", policy_arns=",".join(arns))
    assert list(least_privilege(ENDPOINT, text, PROD))


@pytest.mark.parametrize("text", ["{", "[]", '{"Statement": []}'])
def test_a_document_that_is_no_policy_is_refused(text: str) -> None:
    [message] = least_privilege(ROLE, role(policyDocument=text), PROD)
    assert "is not an IAM policy" in message


def test_what_a_preview_does_not_know_is_not_held_against_a_role() -> None:
    names = ("policyDocument", "permissionsBoundaryArn", "maxStsTtl")
    props = unknown_checking_proxy(role(**dict.fromkeys(names, UNKNOWN_STRING_VALUE)))
    for rule in (least_privilege, boundary, lifetimes):
        assert list(rule(ROLE, props, PROD)) == []


@pytest.mark.parametrize("absent", [None, ""])
def test_iam_users_need_a_boundary_and_sessions_do_not(absent: str | None) -> None:
    [message] = boundary(ROLE, role(permissionsBoundaryArn=absent), PROD)
    assert message.startswith("Role r makes IAM users without a permissions boundary")
    assert list(boundary(ENDPOINT, endpoint("aws/roles/r", credential_type="iam_user"), PROD))
    assert not list(boundary(ROLE, role(), PROD))
    assert not list(boundary(ROLE, role(credentialType="assumed_role", permissionsBoundaryArn=None), PROD))


LIMIT = ENVIRONMENTS["prod"].longest_lease


@pytest.mark.parametrize(
    ("kind", "props", "count"),
    [
        (BACKEND, {"path": "aws", "maxLeaseTtlSeconds": LIMIT}, 0),
        (BACKEND, {"path": "aws", "maxLeaseTtlSeconds": LIMIT + 1}, 1),
        (BACKEND, {"path": "aws"}, 1),
        (BACKEND, {"path": "aws", "maxLeaseTtlSeconds": LIMIT, "defaultLeaseTtlSeconds": LIMIT + 1}, 1),
        (ENDPOINT, endpoint("aws/config/lease", lease="1h", lease_max="4h0m0s"), 0),
        (ENDPOINT, endpoint("aws/config/lease", lease="1h", lease_max="4h0m1s"), 1),
        (ENDPOINT, endpoint("aws/config/lease", lease="1h"), 1),
        (ENDPOINT, endpoint("aws/config/lease", lease="1h", lease_max="1d"), 1),
        (ENDPOINT, endpoint("kv/config", lease="99h"), 0),
        (ROLE, role(maxStsTtl=LIMIT), 0),
        (ROLE, role(defaultStsTtl=LIMIT + 1, maxStsTtl=LIMIT + 1), 2),
        (ENDPOINT, endpoint("aws/roles/r", credential_type="assumed_role", max_sts_ttl="5h"), 1),
    ],
)
def test_lifetimes_are_under_the_environments_limit(kind: str, props: dict[str, Any], count: int) -> None:
    assert len(list(lifetimes(kind, props, PROD))) == count


def test_the_limit_is_the_environments() -> None:
    props = {"path": "aws", "maxLeaseTtlSeconds": 8 * 3600}
    assert not list(lifetimes(BACKEND, props, facts_of({}, "dev", TODAY)))
    [message] = lifetimes(BACKEND, props, PROD)
    assert message == "The mount aws has a maxLeaseTtlSeconds of 8h0m0s, over 4h0m0s, the most in prod; lower it."


# --- Vault policies ---


def refused(text: str) -> int:
    return len(list(narrow_policies(POLICY, {"name": "p", "policy": text}, PROD)))


@pytest.mark.parametrize(
    ("path", "capabilities", "count"),
    [
        ("aws/creds/r", ["read"], 0),
        ("aws/roles/+", ["read"], 0),
        ("sys/leases/revoke-prefix/aws/creds/+", ["update", "sudo"], 0),
        ("sys/leases/lookup/aws/creds/+/", ["list", "sudo"], 0),
        ("*", ["read"], 1),
        ("aws/*", ["read"], 1),
        ("aws/creds/my-*", ["read"], 1),
        ("aws/creds/+", ["read"], 1),
        ("aws/sts/+", ["update"], 1),
        ("aws/static-creds/+", ["read"], 1),
        ("+/creds/r", ["read"], 1),
        ("+", ["read"], 1),
        ("aws/creds/r", ["read", "sudo"], 1),
        ("sys/leases/revoke-prefix/+", ["update", "sudo"], 1),
        ("sys/leases/revoke-prefix/+/x", ["update", "sudo"], 2),
        ("sys/auth", ["read", "sudo"], 1),
    ],
)
def test_vault_policies_name_their_paths_and_give_no_sudo(path: str, capabilities: list[str], count: int) -> None:
    listed = json.dumps(capabilities)
    hcl = f'# a comment with path "x" {{\npath "{path}" {{\n  capabilities = {listed} // "sudo"\n}}\n'
    with_parameters = f'path "{path}" {{ allowed_parameters = {{ "ttl" = [] }}\n capabilities = {listed} }}'
    in_json = json.dumps({"path": {path: {"capabilities": capabilities}}})
    in_a_list = json.dumps({"path": [{path: {"capabilities": capabilities}}]})
    assert [refused(text) for text in (hcl, with_parameters, in_json, in_a_list)] == [count] * 4


def test_a_policy_that_cannot_be_read_is_refused_and_an_empty_one_is_not() -> None:
    assert (refused("path aws/creds/r { capabilities = [read] }"), refused("{}"), refused("")) == (1, 1, 0)
    assert refused('path "aws/creds/r" { policy = "sudo" }') == 1


# --- keys, audit, secrets ---


@pytest.mark.parametrize(
    ("tags", "count"),
    [
        ({"vault-aws:key-renew-by": "2026-11-24"}, 0),
        ({"vault-aws:key-renew-by": "2026-11-23"}, 1),
        ({"vault-aws:key-renew-by": "later"}, 1),
        ({"team": "x"}, 0),
        (None, 0),
    ],
)
def test_a_key_is_renewed_in_time(tags: Any, count: int) -> None:
    assert len(list(key_age(USER, {"name": "u", "tags": tags}, PROD))) == count


def test_an_audit_device_is_there_but_locally() -> None:
    [message] = audited({USER}, PROD)
    assert "in prod every credential must be traceable" in message
    assert not list(audited({USER, AUDIT}, PROD))
    assert not list(audited({USER}, facts_of({}, "local", TODAY)))
    of_others = {"vault-aws:audit": {"devices": {"file": {"type": "file", "managed": False}}}}
    assert not list(audited({USER}, facts_of(of_others, "prod", TODAY)))


@pytest.mark.parametrize(
    ("props", "fields"),
    [
        ({"secretKey": "x"}, ["secretKey"]),
        ({"secretKey": Secret("x"), "path": "aws"}, []),
        ({"secretKey": ""}, []),
        ({"token": "x", "options": {"password": "y"}}, ["token", "options.password"]),
        ({"dataJson": '{"secret_key": "x"}'}, ["dataJson"]),
        ({"dataJson": '{"lease": "1h"}'}, []),
        ({"dataJson": Secret('{"secret_key": "x"}')}, []),
        ({"tokenTtl": 60, "secretIdTtl": 60, "tokenPolicies": ["x"]}, []),
    ],
)
def test_secrets_that_are_not_encrypted_are_named(props: dict[str, Any], fields: list[str]) -> None:
    assert list(plain_secrets(props)) == fields


# --- what the stacks of this project make ---


@pytest.fixture(params=STACKS, ids=lambda path: path.name)
def stack(request: pytest.FixtureRequest) -> tuple[StackDocuments, Facts]:
    config = read_config(request.param)
    name = request.param.name.removeprefix("Pulumi.").removesuffix(".yaml")
    return read_stack(config, name, today=TODAY), facts_of(config, name, TODAY)


def test_the_stacks_of_this_project_keep_the_rules(stack: tuple[StackDocuments, Facts]) -> None:
    documents, facts = stack
    rendered = documents.role_documents(partition="aws", account="123456789012")
    found: list[str] = []
    for name, engine in documents.settings.engines.items():
        found += lifetimes(BACKEND, {"path": name, "maxLeaseTtlSeconds": engine.max_lease_ttl}, facts)
        for policy, text in engine_policies(documents.settings, name).items():
            found += narrow_policies(POLICY, {"name": policy, "policy": text}, facts)
    for name, text in rendered.items():
        found += least_privilege(ROLE, role(name=name, policyDocument=text), facts)
    assert found == []
