"""The policy pack on the real engine: each rule lets one stack pass and stops another."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import World, start_world
from tools import toolchain
from tools.paths import PROJECT

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("pack")]

PACK = str(PROJECT / "policy_pack")


def document(action: str, resource: str) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}
    )


LEAST, WIDE = document("s3:GetObject", "arn:aws:s3:::reports/*"), document("s3:*", "*")

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws
import pulumi_vault as vault

vault.aws.SecretBackend("mount", path="aws", default_lease_ttl_seconds=60, max_lease_ttl_seconds={max_ttl})
lease = {{"lease": "1m", "lease_max": {lease_max!r}}}
vault.generic.Endpoint("lease", path="aws/config/lease", data_json=json.dumps(lease))
boundary = aws.iam.Policy("boundary", policy={least!r})
vault.aws.SecretBackendRole("role", backend="aws", name="role", credential_type="iam_user",
    policy_document={document!r}, permissions_boundary_arn={boundary})
vault.Policy("policy", name="policy", policy={policy!r})
aws.iam.User("user", name="user", tags={{"vault-aws:key-made": "2026-01-01", "vault-aws:key-renew-by": {renew_by!r}}})
vault.Provider("other", address="https://vault.example.com", token={secret})
if {audited}:
    vault.Audit("audit", type="file", options={{"file_path": "/var/log/vault.log"}})
"""
GOOD: dict[str, Any] = {
    "max_ttl": 4 * 3600,
    "lease_max": "4h",
    "least": LEAST,
    "document": LEAST,
    "boundary": "boundary.arn",
    "policy": 'path "aws/creds/role" { capabilities = ["read"] }',
    "renew_by": "2999-12-31",
    "secret": "pulumi.Output.secret('hidden')",
    "audited": True,
}
BAD: dict[str, Any] = GOOD | {
    "max_ttl": 4 * 3600 + 1,
    "lease_max": "5h",
    "document": WIDE,
    "boundary": None,
    "policy": 'path "aws/creds/*" { capabilities = ["read", "sudo"] }',
    "renew_by": "2026-11-01",
    "secret": "'in plain sight'",
    "audited": False,
}
RULES = {
    "audit": "Nothing in this stack makes Vault write an audit log",
    "key-age": "The key of the IAM user user was made on 2026-01-01",
    "least-privilege": "Role role has a wildcard-action at Statement.Action",
    "lifetimes": "The mount aws has a maxLeaseTtlSeconds of 4h0m1s, over 4h0m0s, the most in prod",
    "permissions-boundary": "Role role makes IAM users without a permissions boundary",
    "secret-inputs": "token of other (pulumi:providers:vault) is a secret",
    "vault-policies": "The Vault policy policy has the path 'aws/creds/*'",
}


@dataclass
class Preview:
    """What a preview under the pack ended with."""

    status: int
    text: str

    @property
    def violations(self) -> set[tuple[str, str]]:
        """Level and rule of each violation."""
        return set(re.findall(r"- \[(mandatory|advisory)\]\s+([\w-]+)", self.text))


@pytest.fixture(scope="module")
def world(tools: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = start_world(tools, tmp_path_factory.mktemp("pack"))
    yield world
    world.local.stop()


def preview(world: World, environment: str, program: dict[str, Any], **config: Any) -> Preview:
    (Path(world.stack.project) / "__main__.py").write_text(PROGRAM.format(**program))
    own = {"vault-aws:environment": environment, **config}
    world.config = {key: value for key, value in world.config.items() if not key.startswith("vault-aws:")} | own
    done = world.pulumi("preview", "--policy-pack", PACK, check=False)
    assert "vault-aws@v1.0.0" in done.stdout, done.stderr
    return Preview(done.returncode, done.stdout + done.stderr)


def test_a_stack_that_keeps_every_rule_passes(world: World) -> None:
    shown = preview(world, "prod", GOOD)
    assert (shown.violations, shown.status) == (set(), 0), shown.text


def test_each_rule_stops_a_stack_that_breaks_it(world: World) -> None:
    shown = preview(world, "prod", BAD)
    assert shown.violations == {("mandatory", rule) for rule in RULES}, shown.text
    assert shown.status != 0
    one_line = " ".join(shown.text.split())
    assert [message for message in RULES.values() if message not in one_line] == []
    assert "in plain sight" not in shown.text


@pytest.mark.soak  # the others show each rule stopping a stack; that one is enough takes a preview for each
@pytest.mark.parametrize("broken", [key for key in BAD if BAD[key] != GOOD[key]])
def test_a_rule_that_is_broken_alone_is_enough(world: World, broken: str) -> None:
    shown = preview(world, "prod", GOOD | {broken: BAD[broken]})
    assert len(shown.violations) == 1
    assert shown.status != 0


def test_locally_a_rule_warns_but_for_secrets(world: World) -> None:
    shown = preview(world, "local", BAD | {"secret": GOOD["secret"], "max_ttl": 13 * 3600})
    assert shown.violations == {("advisory", rule) for rule in set(RULES) - {"audit", "secret-inputs"}}, shown.text
    assert shown.status == 0
    shown = preview(world, "local", GOOD | {"secret": BAD["secret"]})
    assert (shown.violations, shown.status != 0) == ({("mandatory", "secret-inputs")}, True)


def test_exemptions_of_the_stacks_file_count_until_they_end(world: World) -> None:
    exemption = {"findings": ["wildcard-action", "wildcard-resource", "data-exposure"], "reason": "a test"}
    wide = GOOD | {"document": WIDE}
    roles = {"role": {"exemptions": [exemption | {"expires": "2999-12-31"}]}}
    assert preview(world, "prod", wide, **{"vault-aws:roles": roles}).violations == set()
    roles = {"role": {"exemptions": [exemption | {"expires": "2026-01-01"}]}}
    assert preview(world, "prod", wide, **{"vault-aws:roles": roles}).violations == {("mandatory", "least-privilege")}
