"""Audit on the real engine: devices that record, credentials traced both ways, and the alarm's rules."""

import json
import stat
from typing import Any, cast

import hvac
import pytest
from moto.events.models import EventPattern

from settings.load import from_values
from settings.usernames import traceable_prefix
from tests.components.test_alarm import record
from tests.e2e.conftest import World
from tools.audit import Auditor, device_and_log
from tools.errors import ToolError

pytestmark = pytest.mark.e2e

LONG = "report-reader-with-a-name-of-many-words"


def ask(world: World, kind: str, value: str) -> list[dict[str, Any]]:
    """What `make audit` answers, without a process of its own for each question."""
    settings = from_values(world.config, "local", "Pulumi.local.yaml")
    device, log = device_and_log(settings, world.local.home, None, None)
    auditor = Auditor(settings, log, device, world.vault)
    answers = [answer.values() for answer in auditor.ask(kind, value)]
    assert (auditor.notes, log.malformed) == ([], 0)
    return answers


def consumer(world: World) -> hvac.Client:
    """Who reads credentials by way of the binding `reporting`."""
    operator, client = world.vault, hvac.Client(url=world.env["VAULT_ADDR"])
    role = operator.auth.approle.read_role_id("reporting")["data"]["role_id"]
    secret = operator.auth.approle.generate_secret_id("reporting")["data"]["secret_id"]
    client.token = client.auth.approle.login(role, secret)["auth"]["client_token"]
    return client


def test_two_devices_record_and_a_change_of_one_touches_it_alone(world: World) -> None:
    world.up()
    assert set(world.vault.sys.list_enabled_audit_devices()["data"]) == {"first/", "second/"}
    lease = world.read("my-role")["lease_id"]
    for name in ("audit-1.log", "audit-2.log"):
        log = world.local.home / name
        assert f'"lease_id":"{lease}"' in log.read_text()
        assert oct(stat.S_IMODE(log.stat().st_mode)) == "0o600"
    devices = world.config["vault-aws:audit"]["devices"]
    devices["first"]["filePath"] = "audit-3.log"
    # Above all the mount is not replaced with it: that would end every lease.
    assert world.changes() == {"first-device": "replace"}
    world.up()
    assert f'"path":"{lease}"' not in (world.local.home / "audit-1.log").read_text()
    second = world.read("my-role")["lease_id"]
    assert second in (world.local.home / "audit-3.log").read_text()
    assert second not in (world.local.home / "audit-1.log").read_text()


def test_a_device_of_others_is_checked_in_a_preview_too(world: World) -> None:
    devices = world.config["vault-aws:audit"]["devices"]
    devices["first"]["managed"] = False
    for words in (("preview",), ("up", "--yes", "--skip-preview", "--non-interactive")):
        done = world.pulumi(*words, check=False)
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert "Pulumi.local.yaml: audit.devices.first: Vault has no audit device 'first'" in said
        assert "vault audit enable -path=first file file_path=audit-1.log" in said
        assert "Traceback" not in said
    assert world.user_names() == set()
    options = {"file_path": str(world.local.home / "others.log")}
    world.vault.sys.enable_audit_device("file", path="first", options=options | {"log_raw": "true"})
    said = world.pulumi("preview", check=False).stdout
    assert "writes tokens and secret keys in clear text (log_raw)" in said
    world.vault.sys.disable_audit_device("first")
    world.vault.sys.enable_audit_device("file", path="first", options=options)
    world.up()
    world.destroy()
    assert set(world.vault.sys.list_enabled_audit_devices()["data"]) == {"first/"}


def names_lead_back(world: World, acting: dict[str, str]) -> None:
    """Role and caller stand in the names, and in an IAM user's tags, as far as AWS lets them."""
    user = acting["report-reader"].removeprefix("user/")
    assert user.startswith("vault-report-reader-approle-")
    assert acting[LONG].startswith(f"user/{traceable_prefix(LONG, 'root')}")
    assert acting["deploy"].startswith("assumed-role/deploy/vault-deploy-root-")
    tags = {tag["Key"]: tag["Value"] for tag in world.aws("iam").list_user_tags(UserName=user)["Tags"]}
    assert tags == {
        "team": "reporting",
        "vault-aws/role": "report-reader",
        "vault-aws/environment": "local",
        "vault-aws/mount": "aws",
    }


def the_command_says_as_much(world: World, secrets: list[str]) -> None:
    """The table and the JSON of the command hold the answers, refused requests among them, and no secret."""
    assert [one["refused"] for one in ask(world, "role", "deploy")] == ["", "1 error occurred: * permission denied"]
    table = world.tools("audit", "--role", "deploy")
    assert table.returncode == 0
    assert "Requests for credentials" in table.stdout
    assert "permission denied" in table.stdout
    as_json = world.tools("audit", "--role", "report-reader", "--json")
    assert json.loads(as_json.stdout) == {"requests": ask(world, "role", "report-reader"), "notes": []}
    nothing = world.tools("audit", "--key", "AKIANOTHERE")
    assert nothing.returncode == 1
    assert "keys and session ARNs are found only in the log of the device that hashed them, 'first'" in nothing.stdout
    log = world.local.home / "audit-1.log"
    other = world.tools("audit", "--key", "AKIANOTHERE", "--file", str(log), "--device", "x")
    assert other.stderr == "Vault has no audit device 'x'; name the log's own with DEVICE=…\n"
    written = [table.stdout, as_json.stdout, nothing.stdout, log.read_text()]
    written.append((world.local.home / "audit-2.log").read_text())
    assert [secret for secret in secrets for text in written if secret in text] == []


def test_credentials_are_traced_both_ways_before_and_after_revocation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    world.roles[LONG] = {**world.roles["report-reader"]}
    world.up()
    caller = consumer(world)
    read: dict[str, dict[str, Any]] = {
        "report-reader": caller.adapter.get("/v1/aws/creds/report-reader"),
        "report-session": caller.adapter.get("/v1/aws/creds/report-session"),
        "deploy": world.read("deploy"),
        LONG: world.read(LONG),
    }
    acting = {
        role: world.aws("sts", one["data"]).get_caller_identity()["Arn"].split(":", 5)[5] for role, one in read.items()
    }
    key = {role: one["data"]["access_key"] for role, one in read.items()}
    lease = {role: one["lease_id"] for role, one in read.items()}
    user = acting["report-reader"].removeprefix("user/")

    names_lead_back(world, acting)
    [found] = ask(world, "role", "report-reader")
    assert ask(world, "lease", lease["report-reader"]) == [found]
    assert ask(world, "key", key["report-reader"]) == [found]
    assert ask(world, "user", user) == [found]
    assert found["lease"] == lease["report-reader"]
    assert (found["displayName"], found["metadata"]) == ("approle", {"role_name": "reporting"})
    assert (found["login"], found["address"]) == ("auth/approle/login", "127.0.0.1")
    assert found["actedAs"] == f"user/{user}"
    assert found["state"].startswith("lives until ")
    [session] = ask(world, "user", f"arn:aws:sts::123456789012:{acting['deploy']}")
    assert (session["lease"], session["actedAs"]) == (lease["deploy"], acting["deploy"])
    [federated] = ask(world, "key", key["report-session"])
    assert (federated["lease"], federated["actedAs"]) == (lease["report-session"], "federated-user/…")
    assert [one["actedAs"] for one in ask(world, "key", key[LONG])] == [acting[LONG]]

    # One lease by an operator, the others with their token.
    world.vault.sys.revoke_lease(lease["report-reader"])
    caller.auth.token.revoke_self()
    [found] = ask(world, "role", "report-reader")
    assert ask(world, "lease", lease["report-reader"]) == [found]
    assert ask(world, "key", key["report-reader"]) == [found]
    assert found["ended"]["by"] == "root"
    assert found["ended"]["how"] == "update sys/leases/revoke"
    assert found["state"].startswith("revoked ")
    assert found["actedAs"] == "user/vault-report-reader-approle-…"
    [federated] = ask(world, "role", "report-session")
    assert (federated["ended"]["by"], federated["ended"]["how"]) == ("approle", "update auth/token/revoke-self")
    with pytest.raises(ToolError, match=f"IAM has no user {user} any more") as gone:
        ask(world, "user", user)
    assert "AttributeKey=ResourceName" in str(gone.value)
    assert "its name is one of role report-reader: make audit ROLE=" in str(gone.value)

    secrets = [one["data"]["secret_key"] for one in read.values()] + [caller.token, world.env["VAULT_TOKEN"]]
    with pytest.raises(hvac.exceptions.Forbidden):
        caller.adapter.get("/v1/aws/creds/deploy")
    the_command_says_as_much(world, secrets)


def test_the_alarm_stands_and_sounds(world: World) -> None:
    world.up()
    assert world.changes() == {}
    events, sns = world.aws("events"), world.aws("sns")
    rules = {rule["Name"]: rule for rule in events.list_rules()["Rules"]}
    assert set(rules) == {
        f"vault-user-alarm-aws-{purpose}" for purpose in ("console-login", "other-user", "outside-policy", "second-key")
    }
    [topic] = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
    for name in rules:
        assert [target["Arn"] for target in events.list_targets_by_rule(Rule=name)["Targets"]] == [topic]
    own = world.aws("sts", world.root_key()).get_caller_identity()["Arn"]

    def sounded(event: dict[str, Any]) -> set[str]:
        patterns = {name: EventPattern.load(rule["EventPattern"]) for name, rule in rules.items()}
        matching = [name for name, one in patterns.items() if one.matches_event(cast("Any", event))]
        return {name.removeprefix("vault-user-alarm-aws-") for name in matching}

    assert sounded(record("iam", "ListUsers", who=own)) == {"outside-policy"}
    assert sounded(record("iam", "CreateUser", who=own, requestParameters={"userName": "vault-x"})) == set()
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert set(policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"]) == {r["Arn"] for r in rules.values()}
    del world.config["vault-aws:alarm"]
    world.up()
    assert (events.list_rules()["Rules"], sns.list_topics()["Topics"]) == ([], [])
