"""Drift on the real engine: every hand edit behind the stack's back is named with its place, and nothing is changed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import hvac
import pytest

from settings.load import from_values
from tests.e2e.conftest import World, start_world
from tests.e2e.issuers import Issuer
from tools import toolchain
from tools.drift.command import unseen
from tools.drift.findings import Finding
from tools.drift.iam_side import iam_client, user_findings
from tools.drift.state import State
from tools.drift.vault_side import Reader, live_key
from tools.errors import ToolError

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("drift")]

USER = "secrets-engine-local-aws"
USER_ARN = f"arn:aws:iam::123456789012:user/vault/{USER}"
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@dataclass
class Place:
    """A world with the state of its stack."""

    world: World
    state: State
    root_key: dict[str, Any]

    @property
    def iam(self) -> Any:
        return self.world.aws("iam")

    def get(self, path: str) -> dict[str, Any]:
        data: dict[str, Any] = self.world.vault.adapter.get(f"/v1/{path}")["data"]
        return data

    def put(self, path: str, **data: Any) -> None:
        self.world.vault.adapter.post(f"/v1/{path}", json=data)

    def put_over(self, path: str, **data: Any) -> None:
        """Writes some fields and leaves the others as they are, as an operator would."""
        self.put(path, **{**self.get(path), **data})

    def root(self, **data: Any) -> None:
        """Writes the root configuration, whose secret key Vault does not give back."""
        self.put_over("aws/config/root", **{"secret_key": self.root_key["secret_key"], **data})

    def unseen(self) -> list[Finding]:
        """What no provider sees, without Pulumi."""
        return list(unseen(self.state, from_values(self.world.config, "local", "Pulumi.local.yaml"), self.world.vault))

    def arn(self, policy: str) -> str:
        """The ARN of a policy of the stack."""
        return f"arn:aws:iam::123456789012:policy/vault/{policy}"


def declare(world: World) -> None:
    """An engine of either rotation, and people and jobs beside the machines of the local stack."""
    issuer = Issuer()
    for role in world.roles.values():
        role["engine"] = "aws"
    world.config["vault-aws:engines"]["seeded"] = {**world.engine, "rotation": "vault"}
    world.roles["seeded-reader"] = {**world.roles["report-reader"], "engine": "seeded"}
    world.config["vault-aws:authMethods"]["ci"] = {
        "type": "jwt",
        "boundIssuer": issuer.name,
        "validationPublicKeys": [issuer.public_key],
    }
    job = {"boundAudiences": ["vault"], "boundSubject": "repo:example/orders:environment:prod"}
    world.config["vault-aws:access"] |= {
        "deployer": {"roles": ["deploy"], "jwt": {"mount": "ci", **job}},
        "platform": {"roles": ["deploy"], "group": {"mount": "ci", "alias": "platform"}},
    }


def placed(world: World) -> Place:
    """Makes the stack in a world."""
    declare(world)
    world.up()
    exported = world.pulumi("stack", "export", "--show-secrets").stdout
    resources = json.loads(exported)["deployment"]["resources"]
    [key] = [one["outputs"] for one in resources if one["urn"].endswith("::aws-key-1")]
    secret = json.loads(key["secret"]["plaintext"])
    return Place(world, State.of(exported, "local"), {"access_key": key["id"], "secret_key": secret})


@pytest.fixture(scope="module")
def place(tools: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = start_world(tools, tmp_path_factory.mktemp("drift"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in world.env.items():
                patch.setenv(name, value)
            # boto3 keeps the credentials of whichever test of this process used it first.
            patch.setattr(boto3, "DEFAULT_SESSION", None)
            yield placed(world)
    finally:
        world.local.stop()


def test_there_is_no_drift_after_an_update(place: Place, tmp_path: Path) -> None:
    # That holds although the state still knows the seed with which the engine `seeded` began.
    done = place.world.tools("drift", "--markdown", str(tmp_path / "of" / "drift.md"))
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "No drift in stack local", "")
    assert (tmp_path / "of" / "drift.md").read_text() == "# No drift in stack local\n\n"


Edit = Callable[[Place], object]

EDITS: dict[str, tuple[Edit, Edit, dict[tuple[str, str], str]]] = {
    "leases": (
        lambda at: at.put("aws/config/lease", lease="2h", lease_max="9h"),
        lambda at: at.put("aws/config/lease", lease="1h", lease_max="4h"),
        {
            ("leases of IAM users: lease", "aws/config/lease"): "2h0m0s",
            ("leases of IAM users: lease_max", "aws/config/lease"): "9h0m0s",
        },
    ),
    "root-fields": (
        lambda at: at.root(max_retries=7, region="eu-west-1"),
        lambda at: at.root(max_retries=-1, region="us-west-2"),
        {
            ("root configuration: max_retries", "aws/config/root"): "7",
            ("root configuration: region", "aws/config/root"): "eu-west-1",
        },
    ),
    "root-key": (
        lambda at: at.root(access_key=at.world.env["AWS_ACCESS_KEY_ID"]),
        lambda at: at.root(access_key=at.root_key["access_key"]),
        {("root configuration: access_key", "aws/config/root"): " of pulumi-administrator"},
    ),
    "tune-that-shows-secret-keys-to-the-audit-log": (
        lambda at: at.put("sys/mounts/aws/tune", audit_non_hmac_response_keys="secret_key"),
        lambda at: at.put("sys/mounts/aws/tune", audit_non_hmac_response_keys=""),
        {("mount aws: audit_non_hmac_response_keys", "sys/mounts/aws/tune"): "secret_key"},
    ),
    "tune-of-an-auth-method": (
        lambda at: at.put("sys/auth/ci/tune", default_lease_ttl="9h", token_type="batch"),
        lambda at: at.put("sys/auth/ci/tune", default_lease_ttl="0", token_type="default-service"),
        {
            ("auth method ci: default_lease_ttl", "sys/auth/ci/tune"): "32400",
            ("auth method ci: token_type", "sys/auth/ci/tune"): "batch",
        },
    ),
    "role-of-nobody": (
        lambda at: at.put("seeded/roles/mine", credential_type="iam_user", policy_document=EVERYTHING),
        lambda at: at.world.vault.adapter.delete("/v1/seeded/roles/mine"),
        {("role that credentials are made for", "seeded/roles/mine"): "there"},
    ),
    "login-of-nobody": (
        lambda at: at.put("auth/approle/role/mine", token_policies=["aws-my-role"]),
        lambda at: at.world.vault.adapter.delete("/v1/auth/approle/role/mine"),
        {("role to log in with", "auth/approle/role/mine"): "there"},
    ),
    "attached-policy": (
        lambda at: at.iam.attach_user_policy(UserName=USER, PolicyArn=ADMINISTRATOR),
        lambda at: at.iam.detach_user_policy(UserName=USER, PolicyArn=ADMINISTRATOR),
        {(f"IAM user {USER}: attached policy", USER_ARN): ADMINISTRATOR},
    ),
    "inline-policy": (
        lambda at: at.iam.put_user_policy(UserName=USER, PolicyName="mine", PolicyDocument=EVERYTHING),
        lambda at: at.iam.delete_user_policy(UserName=USER, PolicyName="mine"),
        {(f"IAM user {USER}: inline policy", USER_ARN): "mine"},
    ),
    "group": (
        lambda at: at.iam.add_user_to_group(UserName=USER, GroupName="engineers"),
        lambda at: at.iam.remove_user_from_group(UserName=USER, GroupName="engineers"),
        {(f"IAM user {USER}: group", USER_ARN): ":group/engineers"},
    ),
    "login-profile": (
        lambda at: at.iam.create_login_profile(UserName=USER, Password="a-Pass-word-1"),
        lambda at: at.iam.delete_login_profile(UserName=USER),
        {(f"IAM user {USER}: login profile", USER_ARN): "a console password of 20"},
    ),
    "second-key": (
        lambda at: at.iam.create_access_key(UserName=USER),
        lambda at: [
            at.iam.delete_access_key(UserName=USER, AccessKeyId=key["AccessKeyId"])
            for key in at.iam.list_access_keys(UserName=USER)["AccessKeyMetadata"]
            if key["AccessKeyId"] != at.root_key["access_key"]
        ],
        {(f"IAM user {USER}: another access key", USER_ARN): ", active, of 20"},
    ),
    "inactive-key": (
        lambda at: set_status(at, "Inactive"),
        lambda at: set_status(at, "Active"),
        {(f"IAM user {USER}: status of its access key", USER_ARN): ", inactive, of 20"},
    ),
}


def set_status(place: Place, status: str) -> None:
    place.iam.update_access_key(UserName=USER, AccessKeyId=place.root_key["access_key"], Status=status)


@pytest.mark.parametrize("name", EDITS)
def test_what_no_provider_sees_is_named_with_its_place(place: Place, name: str) -> None:
    edit, undo, expected = EDITS[name]
    edit(place)
    try:
        found = {(one.title, one.where): one for one in place.unseen()}
        assert {one: found[one].cause for one in found} == dict.fromkeys(expected, "by hand")
        assert [one for one, actual in expected.items() if actual not in str(found[one].actual)] == []
    finally:
        undo(place)


def test_a_key_that_vault_makes_is_watched_in_iam(place: Place) -> None:
    # All hand edits above are undone.
    assert place.unseen() == []
    engine = next(engine for engine in place.state.engines if engine.vault_rotates)
    live = live_key(Reader(place.world.vault), engine)
    iam = iam_client("us-west-2", place.state.engines)
    assert (engine.keys, len(engine.former_keys)) == ((), 1)
    assert list(user_findings(iam, engine, live, timedelta(days=90))) == []
    [old] = user_findings(iam, engine, live, timedelta())
    assert (old.field, old.cause, old.where) == ("age of its access key", "too old", engine.user_arn)
    [seed] = user_findings(iam, replace(engine, former_keys=(str(live),)), live, timedelta(days=90))
    assert (seed.title, seed.where, seed.actual) == (
        "root configuration: access_key",
        "seeded/config/root",
        f"{live}, the seed",
    )


def test_what_cannot_be_compared_is_an_error(place: Place) -> None:
    file = place.world.local.config_file
    text = file.read_text()
    file.write_text(text.replace(place.world.env["VAULT_ADDR"], "http://127.0.0.1:1"))
    try:
        done = place.world.tools("drift")
    finally:
        file.write_text(text)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no Vault answers at http://127.0.0.1:1" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    nobody = Reader(hvac.Client(url="http://127.0.0.1:1", token="x"))
    said = r"Vault at http://127\.0\.0\.1:1 does not answer at auth/token/lookup-self \(ConnectionError\); check the"
    with pytest.raises(ToolError, match=said):
        nobody.check()
    weak = place.world.vault.auth.token.create(policies=["default"])["auth"]["client_token"]
    reader = Reader(hvac.Client(url=place.world.env["VAULT_ADDR"], token=weak))
    reader.check()
    with pytest.raises(ToolError, match=r"not read aws/config/root; check VAULT_TOKEN, and that its policy is what"):
        reader.read("aws/config/root")
    others = tuple(replace(one, user_arn=one.user_arn.replace("123456789012", "2" * 12)) for one in place.state.engines)
    with pytest.raises(ToolError, match="are of account 123456789012, and the stack stands in 222222222222"):
        iam_client("us-west-2", others)


def edit_everything(place: Place) -> dict[tuple[str, str], str]:
    """Changes by hand what the providers do see, and the leases, which they see without values; says what to name."""
    change_leases, _, leases = EDITS["leases"]
    change_leases(place)
    place.put("sys/mounts/aws/tune", default_lease_ttl="2h", max_lease_ttl="9h", description="mine")
    place.put_over("aws/roles/my-role", policy_document=EVERYTHING)
    place.world.vault.adapter.delete("/v1/aws/roles/report-session")
    place.world.vault.sys.create_or_update_policy("aws-my-role", 'path "aws/creds/*" { capabilities = ["read"] }')
    place.put("auth/approle/role/reporting", token_policies=["aws-report-reader", "aws-report-session", "mine"])
    place.put("auth/ci/role/deployer", role_type="jwt", user_claim="sub", bound_audiences=["vault", "mine"])
    place.put_over("auth/ci/config", bound_issuer="https://mine.example")
    place.put("identity/group/name/platform", type="external", policies=["aws-deploy", "mine"])
    version = {"PolicyArn": place.arn(f"{USER}-manage-users"), "PolicyDocument": EVERYTHING, "SetAsDefault": True}
    place.iam.create_policy_version(**version)
    place.iam.detach_user_policy(UserName=USER, PolicyArn=place.arn(f"{USER}-federate"))
    place.iam.put_user_permissions_boundary(UserName=USER, PermissionsBoundary=ADMINISTRATOR)
    return leases | {
        ("mount aws: defaultLeaseTtlSeconds", "sys/mounts/aws"): "7200",
        ("mount aws: maxLeaseTtlSeconds", "sys/mounts/aws"): "32400",
        ("mount aws: description", "sys/mounts/aws"): "mine",
        ("role my-role: policyDocument", "aws/roles/my-role"): '"Action": "*"',
        ("role report-session", "aws/roles/report-session"): "none",
        ("Vault policy aws-my-role: policy", "sys/policies/acl/aws-my-role"): "aws/creds/*",
        ("AppRole reporting: tokenPolicies", "auth/approle/role/reporting"): "mine",
        ("JWT role deployer: boundAudiences", "auth/ci/role/deployer"): "mine",
        ("auth method ci: boundIssuer", "auth/ci/config"): "https://mine.example",
        ("group platform: policies", "identity/group/name/platform"): "mine",
        (f"IAM policy {USER}-manage-users: policy", place.arn(f"{USER}-manage-users")): '"Action": "*"',
        (f"policy of IAM user {USER}", place.arn(f"{USER}-federate")): "none",
        (f"IAM user {USER}: permissionsBoundary", USER_ARN): ADMINISTRATOR,
    }


def edit_for_good(place: Place) -> tuple[dict[tuple[str, str], str], str]:
    """Has both engines hold one stranger's key, and deletes the stack's; says what to name, and the key's secret."""
    key = place.iam.create_access_key(UserName=USER)["AccessKey"]
    mine, own = {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}, place.root_key["access_key"]
    place.root(**mine)
    made_by_vault = place.get("seeded/config/root")["access_key"]
    place.put_over("seeded/config/root", **mine)
    place.iam.delete_access_key(UserName=USER, AccessKeyId=own)
    seeded = next(engine for engine in place.state.engines if engine.vault_rotates)
    return {
        ("root configuration: access_key", "aws/config/root"): f"{key['AccessKeyId']} of {USER}",
        ("root configuration: access_key", "seeded/config/root"): f"{key['AccessKeyId']} of {USER}",
        (f"IAM user {USER}: access key", USER_ARN): "none",
        (f"IAM user {USER}: another access key", USER_ARN): f"{key['AccessKeyId']}, active, of ",
        (f"IAM user {seeded.user_name}: another access key", seeded.user_arn): f"{made_by_vault}, active, of ",
    }, mine["secret_key"]


def what_is(place: Place) -> list[Any]:
    """The state as bytes, and all that IAM has."""
    state = place.world.local.home / "state"
    iam = place.iam.get_account_authorization_details()
    keys = [
        place.iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"] for user in iam["UserDetailList"]
    ]
    return [{path: path.read_bytes() for path in state.rglob("*.json*")}, keys, iam["UserDetailList"], iam["Policies"]]


def test_hand_edits_and_changed_settings_are_named_apart_and_nothing_is_changed(place: Place, tmp_path: Path) -> None:
    by_hand = edit_everything(place)
    for_good, secret = edit_for_good(place)
    by_hand |= for_good
    place.world.roles["deploy"]["maxStsTtl"] = "2h"
    place.world.roles["added"] = {**place.world.roles["report-reader"]}
    place.world.write()
    log = place.world.local.home / "audit-1.log"
    before, asked = what_is(place), len(log.read_text())

    done = place.world.tools("drift", "--json", "--markdown", str(tmp_path / "drift.md"))

    assert (done.returncode, done.stderr) == (2, "")
    assert what_is(place) == before
    requests = [json.loads(line)["request"] for line in log.read_text()[asked:].splitlines()]
    # The provider works with a token of its own, which it also gives back.
    writes = {one["path"] for one in requests if one["operation"] not in {"read", "list"}}
    assert writes <= {"auth/token/create", "auth/token/revoke-self"}

    told = json.loads(done.stdout)["drift"]
    assert {(title(one), one["where"]) for one in told if one["cause"] == "by hand"} == set(by_hand)
    actual = {(title(one), one["where"]): str(one["actual"]).replace(" ", "") for one in told}
    assert [one for one, part in by_hand.items() if part.replace(" ", "") not in actual[one]] == []
    assert {(title(one), one["where"]) for one in told if one["cause"] == "not applied"} == {
        ("role deploy: maxStsTtl", "aws/roles/deploy"),
        ("role added", "aws/roles/added"),
        ("Vault policy aws-added", "sys/policies/acl/aws-added"),
    }
    written = (tmp_path / "drift.md").read_text()
    assert written.startswith(f"# Drift in stack local: {len(by_hand)} by hand, 3 not applied\n")
    known = [secret, place.root_key["secret_key"], place.world.env["VAULT_TOKEN"]]
    known.append(place.world.env["AWS_SECRET_ACCESS_KEY"])
    assert [one for one in known for text in (done.stdout, written) if one in text] == []


def title(told: dict[str, Any]) -> str:
    return ": ".join(filter(None, (told["what"], told["field"])))


@pytest.mark.soak
def test_what_is_named_is_mended_as_it_says(world: World, tmp_path: Path) -> None:
    place, file = placed(world), str(tmp_path / "drift.md")
    edit_everything(place)
    EDITS["root-fields"][0](place)
    EDITS["root-key"][0](place)
    told = json.loads(world.tools("drift", "--json", "--markdown", file).stdout)["drift"]
    assert {one["mend"] for one in told} == {
        "pulumi refresh --stack local, then make up STACK=local",
        "make rotate STACK=local",
    }
    world.pulumi("refresh", "--yes")
    assert world.tools("rotate").returncode == 0
    assert world.tools("drift", "--markdown", file).stdout == "No drift in stack local\n"
