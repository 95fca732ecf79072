"""Access on the real engine: who logs in how, and what the token that it gets may and may not do."""

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import hvac
import pytest
import requests

from tests.e2e.conftest import World, start_world
from tests.e2e.issuers import Cluster, Issuer
from tools.toolchain import Toolchain

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("access")]

DEPLOY = "arn:aws:iam::123456789012:role/deploy"
OTHER = "arn:aws:iam::123456789012:role/other"
SUBJECT = "repo:example/orders:environment:prod"
HOUR = 3600
SESSION = ["creds", "sts"]
METHODS = ["GET", "LIST", "POST", "PUT", "DELETE", "PATCH"]


@dataclass(frozen=True)
class Consumer:
    """A role as its consumer sees it: where, by which methods, and with which parameters."""

    mount: str
    ways: list[str]
    choices: dict[str, str]

    @property
    def methods(self) -> list[str]:
        return ["GET"] if self.ways == ["creds"] else ["GET", "POST", "PUT"]


CONSUMERS = {
    "report-reader": Consumer("aws", ["creds"], {}),
    "deploy": Consumer("aws", SESSION, {"role_arn": DEPLOY, "ttl": "900"}),
    "deploy-hour": Consumer("aws", SESSION, {"role_arn": DEPLOY}),
    "report-session": Consumer("aws", SESSION, {"ttl": "900"}),
    "report-hour": Consumer("eu/aws", SESSION, {}),
    "eu-reader": Consumer("eu/aws", ["creds"], {}),
}
POLICIES = [f"{consumer.mount.replace('/', '-')}-{name}" for name, consumer in CONSUMERS.items()]


@dataclass(frozen=True)
class Scene:
    """A stack with a binding of every kind, and those who vouch for callers."""

    world: World
    issuer: Issuer
    cluster: Cluster
    http: requests.Session = field(default_factory=requests.Session)

    def token(self, *policies: str) -> str:
        """A token with these policies alone."""
        made = self.world.vault.auth.token.create(policies=list(policies), no_default_policy=True)
        return str(made["auth"]["client_token"])

    def ask(self, method: str, path: str, token: str, **more: Any) -> requests.Response:
        url = f"{self.world.env['VAULT_ADDR']}/v1/{path}"
        headers = {"X-Vault-Token": token}
        if method == "PATCH":
            headers["Content-Type"], more = "application/merge-patch+json", {"data": "{}"}
        return self.http.request(method, url, headers=headers, timeout=60, **more)

    def log_in(self, path: str, **proof: str) -> requests.Response:
        return requests.post(f"{self.world.env['VAULT_ADDR']}/v1/auth/{path}/login", json=proof, timeout=60)


@pytest.fixture(scope="module")
def scene(tools: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("access")
    world = start_world(tools, folder / "world")
    try:
        with Cluster(folder).running() as cluster:
            scene = Scene(world, Issuer(), cluster)
            declare(scene)
            world.up()
            yield scene
    finally:
        world.local.stop()


def declare(scene: Scene) -> None:
    """Declares roles of several types on two mounts, and access to them in every way."""
    world, issuer, cluster = scene.world, scene.issuer, scene.cluster
    vault = world.vault
    # Two that exist already: an auth method by which people log in, and somebody whom Vault knows.
    vault.sys.enable_auth_method("jwt", path="people")
    vault.adapter.post("/v1/auth/people/config", json={"jwt_validation_pubkeys": [issuer.public_key]})
    person = {"role_type": "jwt", "user_claim": "sub", "groups_claim": "groups", "bound_audiences": ["vault"]}
    vault.adapter.post("/v1/auth/people/role/person", json=person)
    ann = vault.adapter.post("/v1/identity/entity", json={"name": "ann"})["data"]["id"]
    accessor = vault.sys.list_auth_methods()["data"]["people/"]["accessor"]
    alias = {"name": "ann", "canonical_id": ann, "mount_accessor": accessor}
    vault.adapter.post("/v1/identity/entity-alias", json=alias)

    world.config["vault-aws:engines"]["eu"] = {
        **world.engine,
        "path": "eu/aws",
        "defaultLeaseTtl": "20m",
        "maxLeaseTtl": "2h",
    }
    user, deploy, session = (world.roles[name] for name in ("report-reader", "deploy", "report-session"))
    world.config["vault-aws:roles"] = {
        "report-reader": {**user, "engine": "aws"},
        "deploy": {**deploy, "engine": "aws"},
        "deploy-hour": {**deploy, "engine": "aws", "defaultStsTtl": "1h", "maxStsTtl": "1h"},
        "report-session": {**session, "engine": "aws"},
        "report-hour": {**session, "engine": "eu", "defaultStsTtl": "1h", "maxStsTtl": "1h"},
        "eu-reader": {**user, "engine": "eu"},
    }
    world.config["vault-aws:authMethods"] = {
        "approle": {"type": "approle"},
        "ci": {"type": "jwt", "boundIssuer": issuer.name, "validationPublicKeys": [issuer.public_key]},
        "cluster": {"type": "kubernetes", "host": cluster.url, "caCertificate": cluster.ca},
    }
    account = {"serviceAccounts": ["reporter"], "namespaces": ["reports"], "audience": "vault"}
    from_here = {"tokenBoundCidrs": ["127.0.0.1/32"], "secretIdBoundCidrs": ["127.0.0.0/8"]}
    main = {"ref": ["refs/heads/main", "refs/heads/release"]}
    job = {"boundAudiences": ["vault"], "boundSubject": SUBJECT, "boundClaims": main}
    any_branch = {"boundAudiences": ["vault"], "boundClaims": {"sub": "repo:example/*"}, "boundClaimsType": "glob"}
    world.config["vault-aws:access"] = {
        "reporting": {"roles": ["report-reader"], "appRole": {"secretIdNumUses": 1, "tokenTtl": "30m", **from_here}},
        "deployer": {"roles": ["deploy"], "jwt": {"mount": "ci", **job}},
        "previewer": {"roles": ["deploy-hour"], "jwt": {"mount": "ci", **any_branch}},
        "pods": {"roles": ["report-session"], "kubernetes": {"mount": "cluster", **account}},
        "platform": {"roles": ["eu-reader"], "operatorOf": ["eu"], "group": {"mount": "people", "alias": "platform"}},
        "named": {"roles": ["report-hour"], "group": {"entities": [ann]}},
    }


def test_bindings_of_every_kind_stay_as_they_are(scene: Scene) -> None:
    assert scene.world.changes() == {}
    scene.world.pulumi("refresh", "--yes", "--expect-no-changes")


def secret_id(scene: Scene) -> dict[str, str]:
    approle = scene.world.vault.auth.approle
    return {
        "role_id": approle.read_role_id("reporting")["data"]["role_id"],
        "secret_id": approle.generate_secret_id("reporting")["data"]["secret_id"],
    }


Proof = Callable[[Scene], tuple[str, dict[str, str]]]


def ci(role: str = "deployer", **claims: Any) -> Proof:
    main = {"sub": SUBJECT, "aud": "vault", "ref": "refs/heads/main"}
    return lambda scene: ("ci", {"role": role, "jwt": scene.issuer.token(**{**main, **claims})})


def pod(namespace: str, account: str, audience: str = "vault") -> Proof:
    return lambda scene: ("cluster", {"role": "pods", "jwt": scene.cluster.pod(namespace, account, audience)})


def person(name: str, *groups: str) -> Proof:
    return lambda scene: (
        "people",
        {"role": "person", "jwt": scene.issuer.token(sub=name, aud="vault", groups=list(groups))},
    )


LOGINS: list[tuple[str, Proof, list[str], str | None]] = [
    ("an AppRole", lambda scene: ("approle", secret_id(scene)), ["aws-report-reader"], "report-reader"),
    ("a job", ci(), ["aws-deploy"], "deploy"),
    ("a job on another of its branches", ci(ref="refs/heads/release"), ["aws-deploy"], "deploy"),
    ("a job by a pattern", ci("previewer", sub="repo:example/x:pull_request"), ["aws-deploy-hour"], "deploy-hour"),
    ("a pod", pod("reports", "reporter"), ["aws-report-session"], "report-session"),
    ("a group's member", person("bob", "platform"), ["eu-aws-eu-reader", "eu-aws-operator"], "eu-reader"),
    ("a named person", person("ann"), ["eu-aws-report-hour"], "report-hour"),
    ("a person of another group", person("eve", "sales"), [], None),
]


@pytest.mark.parametrize(("proof", "policies", "role"), [case[1:] for case in LOGINS], ids=[case[0] for case in LOGINS])
def test_a_binding_gives_just_its_roles(scene: Scene, proof: Proof, policies: list[str], role: str | None) -> None:
    path, words = proof(scene)
    answer = scene.log_in(path, **words)
    assert answer.status_code == 200, answer.text
    auth = answer.json()["auth"]
    assert sorted(auth["policies"]) == sorted([*policies, "default"])
    readable = {
        name
        for name, consumer in CONSUMERS.items()
        if scene.ask("GET", f"{consumer.mount}/creds/{name}", auth["client_token"]).status_code == 200
    }
    assert readable == ({role} if role else set())


def stranger(scene: Scene) -> tuple[str, dict[str, str]]:
    path, words = pod("reports", "reporter")(scene)
    scene.cluster.pods.pop(words["jwt"])
    return path, words


STRANGERS: list[tuple[str, Proof]] = [
    ("another repository", ci(sub="repo:example/payroll:environment:prod")),
    ("another branch", ci(ref="refs/heads/hack")),
    ("a token for another audience", ci(aud="sts.amazonaws.com")),
    ("a token of another issuer", ci(iss="https://elsewhere.example")),
    ("an expired token", ci(exp=1)),
    ("another owner, by a pattern", ci("previewer", sub="repo:example-evil/x:pull_request")),
    ("another issuer's key", lambda _: ("ci", {"role": "deployer", "jwt": Issuer().token(sub=SUBJECT, aud="vault")})),
    ("another service account", pod("reports", "default")),
    ("another namespace", pod("payroll", "reporter")),
    ("a pod's token for another audience", pod("reports", "reporter", "kubernetes")),
    ("a pod that the cluster does not know", stranger),
    ("a wrong secret id", lambda scene: ("approle", {**secret_id(scene), "secret_id": "guess"})),
]


@pytest.mark.parametrize("proof", [case[1] for case in STRANGERS], ids=[case[0] for case in STRANGERS])
def test_nobody_else_logs_in(scene: Scene, proof: Proof) -> None:
    path, words = proof(scene)
    answer = scene.log_in(path, **words)
    assert answer.status_code in {400, 403}, answer.text


def test_tokens_and_secret_ids_are_limited_as_declared(scene: Scene) -> None:
    words = secret_id(scene)
    auth = scene.log_in("approle", **words).json()["auth"]
    assert auth["lease_duration"] == HOUR / 2
    assert scene.log_in("approle", **words).status_code == 400
    looked_up = scene.world.vault.lookup_token(auth["client_token"])["data"]
    assert looked_up["bound_cidrs"] == ["127.0.0.1"]


@pytest.mark.parametrize("name", CONSUMERS)
def test_a_consumer_may_read_its_role_and_nothing_else(scene: Scene, name: str) -> None:
    consumer = CONSUMERS[name]
    token = scene.token(f"{consumer.mount.replace('/', '-')}-{name}")
    own = {(method, f"{consumer.mount}/{way}/{name}") for way in consumer.ways for method in consumer.methods}
    assert {case for case in asked() if not refused(scene.ask(*case, token))} == own


def asked() -> list[tuple[str, str]]:
    return [(method, path) for path in paths() for method in METHODS]


def refused(answer: requests.Response) -> bool:
    """Whether Vault refused for want of a right, or knows no such request from anybody."""
    no_such_request = answer.status_code == 400 and "cannot write to a path ending in" in answer.text
    return answer.status_code in {403, 405} or no_such_request


def paths() -> list[str]:
    """Every path of the mounts, for every role, and what of Vault could widen a token's rights."""
    found = ["auth/token/create", "auth/token/lookup", "auth/approle/role", "identity/entity", "identity/group"]
    found += ["auth/approle/role/reporting", "auth/approle/role/reporting/secret-id", "auth/ci/config", "cubbyhole/x"]
    found += ["auth/ci/role/deployer", "auth/cluster/config", "identity/group/name/platform", "identity/group-alias"]
    found += [f"sys/{path}" for path in ("audit", "auth", "auth/approle", "leases/lookup", "leases/revoke", "mounts")]
    found += [f"sys/{path}" for path in ("audit/first", "audit-hash/first", "policies/acl", "raw", "remount", "rotate")]
    found += [f"sys/{path}" for path in ("seal", "wrapping/wrap", "capabilities-self", "config/auditing")]
    found += [f"sys/policies/acl/{policy}" for policy in [*POLICIES, "aws-operator", "default", "new"]]
    for mount in ("aws", "eu/aws"):
        found += [f"{mount}/{path}" for path in ("config/root", "config/lease", "config/rotate-root", "roles")]
        found += [f"{mount}/{path}" for path in ("static-roles", "static-roles/x", "static-creds/x", "creds/", "sts/")]
        found += [f"sys/mounts/{mount}", f"sys/mounts/{mount}/tune", f"sys/leases/lookup/{mount}/creds/"]
        for name in [*CONSUMERS, "new"]:
            found += [f"{mount}/{path}/{name}" for path in ("creds", "sts", "roles")]
            found += [f"sys/leases/{verb}/{mount}/creds/{name}" for verb in ("lookup", "revoke-prefix", "revoke-force")]
    return found


@pytest.mark.parametrize("name", CONSUMERS)
def test_a_consumer_chooses_nothing_that_its_role_does_not_offer(scene: Scene, name: str) -> None:
    consumer = CONSUMERS[name]
    token = scene.token(f"{consumer.mount.replace('/', '-')}-{name}")
    for way in consumer.ways:
        path = f"{consumer.mount}/{way}/{name}"
        for choice, value in {"role_arn": DEPLOY, "ttl": "900"}.items():
            expected = 200 if choice in consumer.choices else 403
            for method in consumer.methods:
                assert ask_with(scene, method, path, token, **{choice: value}).status_code == expected, (path, choice)
        for choice, value in {"role_arn": OTHER, "role_session_name": "root", "mfa_code": "123456", "x": "y"}.items():
            for spelling in (choice, choice.upper()):
                for method in consumer.methods:
                    assert ask_with(scene, method, path, token, **{spelling: value}).status_code == 403, (path, choice)


@pytest.mark.parametrize(("name", "longest"), [("deploy", 4 * HOUR), ("report-session", HOUR), ("deploy-hour", HOUR)])
def test_no_session_outlives_what_its_role_allows(scene: Scene, name: str, longest: int) -> None:
    token = scene.token(f"aws-{name}")
    for way in SESSION:
        path = f"aws/{way}/{name}"
        answers = [
            ask_with(scene, "GET", path, token, ttl="12h"),
            ask_with(scene, "PUT", path, token, ttl="12h"),
            # Vault reads no parameters from where it does not look for them, so a policy need not either.
            scene.ask("PUT", f"{path}?ttl=12h", token, json={}),
            scene.ask("GET", path, token, json={"ttl": "12h"}),
        ]
        assert any(answer.status_code == 200 for answer in answers)
        for answer in answers:
            # AWS refuses the four hours of Vault: this IAM role's sessions last one.
            if answer.status_code == 200:
                assert answer.json()["data"]["ttl"] <= longest
                assert answer.json()["lease_duration"] <= longest


def test_each_mount_has_lifetimes_of_its_own(scene: Scene) -> None:
    read = {name: scene.world.vault.adapter.get(f"/v1/{CONSUMERS[name].mount}/creds/{name}") for name in CONSUMERS}
    assert {name: lease["lease_duration"] for name, lease in read.items() if CONSUMERS[name].ways == ["creds"]} == {
        "report-reader": HOUR,
        "eu-reader": HOUR / 3,
    }
    lease = read["eu-reader"]["lease_id"]
    renewed = scene.world.vault.sys.renew_lease(lease, increment=12 * HOUR)
    assert renewed["lease_duration"] <= 2 * HOUR


def ask_with(scene: Scene, method: str, path: str, token: str, **choice: str) -> requests.Response:
    words: dict[str, Any] = {"params" if method == "GET" else "json": choice}
    return scene.ask(method, path, token, **words)


@pytest.mark.parametrize(
    "detour", ["aws/creds/deploy/../report-reader", "aws//creds/report-reader", "aws/creds/deploy%2F..%2Freport-reader"]
)
def test_no_detour_leads_to_another_role(scene: Scene, detour: str) -> None:
    # A client such as requests would straighten the path.
    server = urlsplit(scene.world.env["VAULT_ADDR"])
    connection = http.client.HTTPConnection(str(server.hostname), server.port, timeout=60)
    connection.request("GET", f"/v1/{detour}", headers={"X-Vault-Token": scene.token("aws-deploy")})
    answer = connection.getresponse()
    connection.close()
    assert answer.status not in {200, 204}


def test_an_operator_reads_the_configuration_and_ends_a_roles_leases(scene: Scene) -> None:
    lease = scene.world.read("report-reader")["lease_id"]
    kept = scene.world.read("deploy")["lease_id"]
    token = scene.token("aws-operator")
    for path in ("config/root", "config/lease", "roles/deploy"):
        assert scene.ask("GET", f"aws/{path}", token).status_code == 200
    assert scene.ask("LIST", "aws/roles", token).json()["data"]["keys"] == sorted(
        name for name, consumer in CONSUMERS.items() if consumer.mount == "aws"
    )
    assert "report-reader/" in scene.ask("LIST", "sys/leases/lookup/aws/creds", token).json()["data"]["keys"]
    listed = scene.ask("LIST", "sys/leases/lookup/aws/creds/report-reader", token).json()["data"]["keys"]
    assert lease.rsplit("/", 1)[1] in listed

    assert scene.ask("PUT", "sys/leases/revoke-prefix/aws/creds/report-reader", token).status_code in {200, 204}
    with pytest.raises(hvac.exceptions.InvalidRequest):
        scene.world.vault.sys.read_lease(lease)
    assert scene.world.vault.sys.read_lease(kept)["data"]["id"] == kept


OPERATED = {
    ("GET", "aws/config/root"),
    ("GET", "aws/config/lease"),
    ("LIST", "aws/roles"),
    ("LIST", "sys/leases/lookup/aws/creds/"),
    *(
        (method, f"sys/leases/revoke-prefix/aws/creds/{name}")
        for name in [*CONSUMERS, "new"]
        for method in ("POST", "PUT")
    ),
    *(("LIST", f"sys/leases/lookup/aws/creds/{name}") for name in [*CONSUMERS, "new"]),
}


def test_an_operator_may_do_nothing_else(scene: Scene) -> None:
    token = scene.token("aws-operator")
    # Of names that no role of the mount has it learns that there is no such role.
    missing = {("GET", f"aws/roles/{name}") for name in [*CONSUMERS, "new"]}
    assert {case for case in asked() if not refused(scene.ask(*case, token))} == OPERATED | missing
