"""The policy of Pulumi's own token: it is enough for the whole life of a stack, and each of its rules is needed."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import hvac
import pytest
import requests

from documents.pulumi_policy import pulumi_policy
from settings.load import from_values
from tests.e2e.conftest import World
from tests.e2e.issuers import Cluster, Issuer
from tools.drift.state import State
from tools.drift.vault_side import Reader, vault_findings

pytestmark = pytest.mark.e2e

NAME = "vault-aws-pulumi"
METHODS = {"read": "GET", "list": "LIST", "create": "POST", "update": "POST", "delete": "DELETE"}


def test_the_whole_life_of_a_stack_takes_every_rule_of_the_policy_and_no_other(world: World, tmp_path: Path) -> None:
    log = tmp_path / "recorder.log"
    world.vault.sys.enable_audit_device("file", path="recorder", options={"file_path": str(log)})
    issuer = Issuer()
    exists_already(world, issuer)
    with Cluster(tmp_path).running() as cluster:
        declare(world, issuer, cluster)
        policy = pulumi_policy(from_values(world.config, "local", "Pulumi.local.yaml"))
        world.vault.sys.create_or_update_policy(NAME, policy)
        made = world.vault.auth.token.create(policies=[NAME], no_default_policy=True, ttl="1h")
        world.stack = replace(world.stack, env={**world.stack.env, "VAULT_TOKEN": made["auth"]["client_token"]})
        live(world)

    used = requests_of(log)
    rules = json.loads(policy)["path"]
    unused, needless = [], []
    for path, rule in rules.items():
        asked = {capability: request for request, capability in used if matches(path, request)}
        unused += [(path, capability) for capability in set(rule["capabilities"]) - {"sudo"} - set(asked)]
        # What takes sudo is in the log as the read, say, that it is.
        losses = [rule["capabilities"], ["sudo"]] if "sudo" in rule["capabilities"] else [rule["capabilities"]]
        for lost in losses:
            less = {**rules, path: {"capabilities": [kept for kept in rule["capabilities"] if kept not in lost]}}
            needless += [(path, lost) for capability, at in asked.items() if allowed(world, less, at, capability)]
    assert (unused, needless) == ([], [])


def allowed(world: World, rules: dict[str, Any], path: str, operation: str) -> bool:
    """Whether Vault allows a request under a policy."""
    world.vault.sys.create_or_update_policy("less", json.dumps({"path": rules}))
    made = world.vault.auth.token.create(policies=["less"], no_default_policy=True)
    answer = requests.request(
        METHODS[operation],
        f"{world.env['VAULT_ADDR']}/v1/{path}",
        headers={"X-Vault-Token": made["auth"]["client_token"]},
        json={} if operation in {"create", "update"} else None,
        timeout=60,
    )
    return answer.status_code != 403


def exists_already(world: World, issuer: Issuer) -> None:
    """An auth method that is not the stack's, to which it binds a role and a group."""
    world.vault.sys.enable_auth_method("jwt", path="people")
    world.vault.adapter.post("/v1/auth/people/config", json={"jwt_validation_pubkeys": [issuer.public_key]})
    world.vault.sys.enable_auth_method("approle", path="machines")


def declare(world: World, issuer: Issuer, cluster: Cluster) -> None:
    job: dict[str, Any] = {"boundAudiences": ["vault"], "boundSubject": "repo:example/orders:environment:prod"}
    pod: dict[str, Any] = {"serviceAccounts": ["reporter"], "namespaces": ["reports"]}
    world.aws("iam").create_user(UserName="legacy-batch")
    world.config["vault-aws:staticRoles"] = {
        "legacy": {"engine": "aws", "userName": "legacy-batch", "rotationPeriod": "24h"}
    }
    for role in world.roles.values():
        role["engine"] = "aws"
    world.config["vault-aws:engines"]["seeded"] = {**world.engine, "rotation": "vault"}
    world.roles["seeded-reader"] = {**world.roles["report-reader"], "engine": "seeded"}
    world.roles["seeded-spare"] = {**world.roles["report-reader"], "engine": "seeded"}
    world.config["vault-aws:authMethods"] |= {
        "ci": {"type": "jwt", "boundIssuer": issuer.name, "validationPublicKeys": [issuer.public_key]},
        "cluster": {"type": "kubernetes", "host": cluster.url, "caCertificate": cluster.ca},
    }
    world.config["vault-aws:access"] |= {
        "deployer": {"roles": ["deploy"], "jwt": {"mount": "ci", **job}},
        "pods": {"roles": ["report-session"], "kubernetes": {"mount": "cluster", **pod}},
        "person": {"roles": ["report-reader"], "jwt": {"mount": "people", **job}},
        "machine": {"roles": ["report-reader"], "appRole": {"mount": "machines"}},
        "platform": {"roles": ["deploy"], "operatorOf": ["aws"], "group": {"mount": "people", "alias": "platform"}},
    }


def live(world: World) -> None:
    """From the first update to the last trace: changed, rotated, seen to be as it was, destroyed."""
    world.up()
    # Where Vault rotates, the second update removes the seed from the state.
    world.apply()
    assert world.changes() == {}
    world.pulumi("refresh", "--yes", "--expect-no-changes")

    world.roles["added"] = {**world.roles["report-reader"]}
    for role in ("report-reader", "seeded-reader"):
        world.roles[role]["tags"] = {"team": "data"}
    world.engine.update(defaultLeaseTtl="30m", vaultUser={"keyGeneration": 2})
    world.config["vault-aws:engines"]["seeded"]["defaultLeaseTtl"] = "30m"
    world.config["vault-aws:staticRoles"]["legacy"]["rotationPeriod"] = "12h"
    for binding in world.config["vault-aws:access"].values():
        for way, fields in binding.items():
            if way in {"appRole", "jwt", "kubernetes"}:
                fields["tokenTtl"] = "15m"
    world.config["vault-aws:access"]["platform"] = {
        "roles": ["added"],
        "group": {"mount": "people", "alias": "platform-team"},
    }
    world.up()
    assert world.changes() == {}
    look_for_drift(world)

    del world.roles["added"], world.roles["seeded-spare"]
    world.config["vault-aws:access"]["platform"]["roles"] = ["deploy"]
    world.up()
    world.pulumi("destroy", "--yes", "--skip-preview")
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]


def look_for_drift(world: World) -> None:
    """What `make drift` asks of Vault itself; the rest it leaves to Pulumi."""
    state = State.of(world.pulumi("stack", "export").stdout, "local")
    reader = Reader(hvac.Client(url=world.env["VAULT_ADDR"], token=world.stack.env["VAULT_TOKEN"]))
    reader.check()
    settings = from_values(world.config, "local", "Pulumi.local.yaml")
    assert list(vault_findings(reader, state, settings.engines, settings.region)) == []


def requests_of(log: Path) -> set[tuple[str, str]]:
    """What was asked of Vault, and allowed, with Pulumi's policy: path and operation."""
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    return {
        (entry["request"]["path"], entry["request"]["operation"])
        for entry in entries
        if entry["type"] == "response" and NAME in entry["auth"].get("policies", []) and not entry.get("error")
    }


def matches(pattern: str, path: str) -> bool:
    """Whether a policy's path covers a request's: `+` is one segment, a last `*` any text."""
    expression = re.escape(pattern).replace(r"\+", "[^/]+")
    expression = expression.removesuffix(r"\*") + ".*" if pattern.endswith("*") else expression
    return re.fullmatch(expression, path) is not None
