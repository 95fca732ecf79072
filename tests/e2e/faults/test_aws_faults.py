"""AWS throttled, out of order, behind its own changes, or of another time, while a stack is updated."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.e2e.faults.conftest import Faulty
from tests.e2e.faults.doors import DESTROY
from tests.e2e.faults.inventory import assert_sound
from tests.e2e.interceptor import Answer, Asked

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.xdist_group("AWS faults")]

XML = {"Content-Type": "text/xml"}


def refusal(status: int, code: str, message: str) -> Answer:
    """What IAM and STS answer."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, f"<ErrorResponse>{error}<RequestId>0-0-0</RequestId></ErrorResponse>", XML)


def key_of(asked: Asked) -> str:
    """The access key that signed a request."""
    found = re.search(r"Credential=([A-Z0-9]+)/", asked.headers.get("Authorization", ""))
    return found[1] if found else ""


@pytest.fixture
def faulty(faulty: Faulty) -> Faulty:
    """The key of Vault's user is about to be replaced as well."""
    user = faulty.world.engine.setdefault("vaultUser", {})
    user["keyGeneration"] = 1 + int(faulty.world.roles["my-role"]["tags"]["round"])
    faulty.world.write()
    return faulty


@pytest.fixture
def first(faulty: Faulty) -> Iterator[Faulty]:
    """The stack does not stand yet, and Vault too reaches AWS through the door."""
    world = faulty.world
    world.pulumi(*DESTROY)
    [endpoints] = world.config["aws:endpoints"]
    direct = {key: world.engine[key] for key in ("iamEndpoint", "stsEndpoint")}
    world.engine.update(dict.fromkeys(direct, endpoints["iam"]))
    world.write()
    yield faulty
    faulty.between.open()
    world.engine.update(direct)
    world.write()
    assert world.tools("up").returncode == 0


@pytest.mark.parametrize(
    "answer",
    [
        refusal(400, "Throttling", "Rate exceeded"),
        refusal(500, "InternalFailure", "An internal error occurred"),
        refusal(503, "ServiceUnavailable", "Service is unable to handle request"),
    ],
    ids=["throttling", "500", "503"],
)
def test_what_passes_when_asked_again(faulty: Faulty, answer: Answer) -> None:
    asked_before: dict[str, int] = {}

    def twice(asked: Asked) -> Answer | None:
        if not asked.action:
            return None
        count = asked_before[asked.name] = asked_before.get(asked.name, 0) + 1
        return answer if count <= 2 else None

    faulty.between.before = twice
    faulty.passes()
    assert any(name.startswith("CreateAccessKey") for name in asked_before)
    faulty.recovers()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refusal(403, "AccessDenied", "not authorized to perform: iam:CreateAccessKey"), "iam:CreateAccessKey"),
        (refusal(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"), "AccessKeysPerUser: 2"),
        (refusal(400, "Throttling", "Rate exceeded"), "Throttling: Rate exceeded"),
    ],
    ids=["denied", "quota", "throttled for good"],
)
def test_what_does_not_pass(faulty: Faulty, answer: Answer, told: str) -> None:
    # The provider's own number is 25, which takes many minutes.
    faulty.world.config["aws:maxRetries"] = 3
    faulty.world.write()
    faulty.between.before = lambda asked: answer if asked.action == "CreateAccessKey" else None
    said = faulty.fails()
    assert told in said
    assert "aws-key-" in said
    faulty.recovers()


def test_a_clock_that_is_wrong(faulty: Faulty) -> None:
    skewed = refusal(403, "SignatureDoesNotMatch", "Signature not yet current: is still later than now + 5 min.")
    faulty.between.before = lambda asked: skewed if asked.action else None
    assert "Signature not yet current" in faulty.fails()
    faulty.recovers()


def test_a_new_key_that_is_refused_for_thirty_seconds(first: Faulty) -> None:
    made: dict[str, float] = {}
    refused = 0

    def behind(asked: Asked) -> Answer | None:
        nonlocal refused
        key = key_of(asked)
        if asked.action != "GetCallerIdentity" or key == first.world.env["AWS_ACCESS_KEY_ID"]:
            return None
        if time.monotonic() - made.setdefault(key, time.monotonic()) > 30:
            return None
        refused += 1
        return refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")

    first.between.before = behind
    first.passes()
    assert refused > 1
    first.between.open()
    assert_sound(first.world)


def test_a_new_user_that_is_not_found_for_ten_seconds(first: Faulty) -> None:
    made = 0.0
    refused: set[str] = set()

    def note(asked: Asked) -> None:
        nonlocal made
        if asked.action == "CreateUser" and "secrets-engine" in asked.name:
            made = time.monotonic()

    def behind(asked: Asked) -> Answer | None:
        known = not made or time.monotonic() - made > 10
        if known or "secrets-engine" not in asked.name or asked.action in {"CreateUser", "CreatePolicy"}:
            return None
        if "User" not in asked.action and asked.action != "CreateAccessKey":
            return None
        refused.add(asked.action)
        return refusal(404, "NoSuchEntity", "The user with name secrets-engine-local-aws cannot be found.")

    first.between.before, first.between.after = behind, note
    done = first.world.tools("up")
    assert refused
    assert "Traceback" not in done.stdout + done.stderr
    print(refused, done.returncode, done.stdout[-3000:], done.stderr)
    if done.returncode:
        assert "cannot be found" in done.stdout + done.stderr
        first.recovers()
    first.between.open()
    assert_sound(first.world)


def test_policies_that_take_effect_after_ten_seconds(first: Faulty) -> None:
    begun = 0.0
    refused = 0

    def behind(asked: Asked) -> Answer | None:
        nonlocal begun, refused
        administrator = first.world.env["AWS_ACCESS_KEY_ID"]
        if asked.action not in {"CreateUser", "AssumeRole"} or key_of(asked) == administrator:
            return None
        begun = begun or time.monotonic()
        if time.monotonic() - begun > 10:
            return None
        refused += 1
        return refusal(403, "AccessDenied", f"User is not authorized to perform: {asked.action}")

    first.between.before = behind
    said = first.passes()
    assert refused
    assert said.count("│ ok │") == 2
    first.between.open()
    assert_sound(first.world)
