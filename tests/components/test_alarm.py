"""The alarm: what its patterns match and let pass, and the rules, topic and policies that are made of them."""

import json
from ipaddress import ip_network
from typing import Any

import pytest
from moto.events.models import EventPattern

from components.alarm import EVERY_CALL, Alarm, AlarmArgs
from documents.alarm import PATTERN_LIMIT, alarm_pattern_faults, alarm_patterns
from documents.stack import read_stack
from settings.alarm import Alarm as AlarmSettings
from settings.faults import FaultsError
from tests.components.conftest import Recorder

NAME = "secrets-engine-dev-aws"
ARN = f"arn:aws:iam::123456789012:user/vault/{NAME}"


def allow(actions: list[str], *resources: str) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources[0] if len(resources) == 1 else resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


POLICIES = {
    "manage-users": allow(
        ["iam:CreateUser", "iam:DeleteUser", "iam:CreateAccessKey"], "arn:aws:iam::123456789012:user/leased/vault-*"
    ),
    "rotate-ci": allow(["iam:CreateAccessKey"], "arn:aws:iam::123456789012:user/ci-bot"),
    "assume-roles": allow(["sts:AssumeRole"], "arn:aws:iam::123456789012:role/deploy"),
    "federate": allow(["sts:GetFederationToken"], "arn:aws:sts::123456789012:federated-user/*"),
    "federate-reports": allow(["s3:GetObject", "iam:ListUsers"], "*"),
}


def sounded(event: dict[str, Any], *networks: str, policies: dict[str, str] = POLICIES) -> set[str]:
    """The purposes of the rules that match a record."""
    patterns = alarm_patterns(ARN, policies, networks)
    return {purpose for purpose, pattern in patterns.items() if EventPattern.load(pattern).matches_event(event)}  # type: ignore[arg-type]  # moto names no type for a record


def record(service: str, call: str, *, who: str = ARN, address: str = "203.0.113.5", **detail: Any) -> dict[str, Any]:
    """A record of CloudTrail as EventBridge delivers it."""
    user = who.startswith("arn:aws:iam::") and ":user/" in who
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": "123456789012",
        "time": "2026-05-04T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser" if user else "AssumedRole",
                "principalId": "AIDAEXAMPLE",
                "arn": who,
                "accountId": "123456789012",
                "accessKeyId": "AKIAEXAMPLE",
                **({"userName": who.rsplit("/", 1)[-1]} if user else {}),
            },
            "eventTime": "2026-05-04T11:59:58Z",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": call,
            "awsRegion": "us-east-1",
            "sourceIPAddress": address,
            "userAgent": "aws-sdk-go/1.44.318",
            "requestParameters": None,
            "responseElements": None,
            "requestID": "0d8a4b4e-4b3a-4a0e-8f0e-3f3a2c1d0b9a",
            "eventID": "b1f3d1a2-1c2d-4e5f-8a9b-0c1d2e3f4a5b",
            "readOnly": call.startswith(("Get", "List", "Describe")),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": "123456789012",
            **detail,
        },
    }


def about(user: str) -> dict[str, Any]:
    return {"requestParameters": {"userName": user}}


PULUMI = "arn:aws:sts::123456789012:assumed-role/pulumi/session"
LEASED = "arn:aws:iam::123456789012:user/leased/vault-reader-approle-Ab3dEf6h1J"

QUIET = [
    record("iam", "CreateUser", **about("vault-reader-approle-Ab3dEf6h1J")),
    record("iam", "CreateAccessKey", **about("vault-reader-approle-Ab3dEf6h1J")),
    record("iam", "CreateAccessKey", **about("ci-bot")),
    record("iam", "DeleteUser", **about("vault-reader-approle-Ab3dEf6h1J"), errorCode="DeleteConflictException"),
    record("sts", "AssumeRole", requestParameters={"roleArn": "arn:aws:iam::123456789012:role/deploy"}),
    record("sts", "GetFederationToken", requestParameters={"name": "vault-1795478628-x"}),
    record("sts", "GetCallerIdentity"),
    # Others may do what Vault's user may not.
    record("iam", "ListUsers", who=PULUMI),
    record("s3", "CreateBucket", who=LEASED),
    record("iam", "CreateAccessKey", who=PULUMI, **about("ada")),
    record("iam", "CreateAccessKey", who=LEASED),
]
LOUD = [
    (record("iam", "ListUsers"), {"outside-policy"}),
    (record("s3", "ListBuckets"), {"outside-policy"}),
    (record("sts", "GetSessionToken"), {"outside-policy"}),
    (record("ec2", "RunInstances", errorCode="Client.UnauthorizedOperation"), {"outside-policy"}),
    (record("iam", "CreateUser", errorCode="AccessDenied", **about("admin")), {"outside-policy", "other-user"}),
    (record("iam", "DeleteUser", **about("ada")), {"other-user"}),
    (record("iam", "CreateAccessKey", **about(NAME)), {"second-key", "other-user"}),
    # Without a name IAM takes the caller's own.
    (record("iam", "CreateAccessKey"), {"second-key"}),
    (record("iam", "CreateAccessKey", who=PULUMI, **about(NAME)), {"second-key"}),
]


@pytest.mark.parametrize("event", QUIET, ids=lambda event: event["detail"]["eventName"])
def test_its_own_work_is_quiet(event: dict[str, Any]) -> None:
    assert sounded(event) == set()


@pytest.mark.parametrize(
    ("event", "purposes"), LOUD, ids=lambda value: value["detail"]["eventName"] if "detail" in value else ""
)
def test_what_it_should_never_do_sounds(event: dict[str, Any], purposes: set[str]) -> None:
    assert sounded(event) == purposes


@pytest.mark.parametrize(("who", "loud"), [(ARN, True), (LEASED, True), (PULUMI, False)])
def test_a_console_login_sounds(who: str, loud: bool) -> None:
    event = record("signin", "ConsoleLogin", who=who, responseElements={"ConsoleLogin": "Failure"})
    event["detail-type"] = "AWS Console Sign In via CloudTrail"
    assert sounded(event) == ({"console-login"} if loud else set())


@pytest.mark.parametrize(
    ("address", "loud"),
    [
        ("203.0.113.0", False),
        ("203.0.113.15", False),
        ("198.51.100.7", False),
        ("2001:db8::5", False),
        ("203.0.113.16", True),
        ("203.0.112.255", True),
        ("198.51.100.6", True),
        ("198.51.100.8", True),
        ("0.0.0.1", True),
        ("255.255.255.255", True),
        ("2001:db9::5", True),
        ("cloudformation.amazonaws.com", False),
    ],
)
def test_a_call_from_outside_the_networks_sounds(address: str, loud: bool) -> None:
    event = record("sts", "AssumeRole", address=address)
    found = sounded(event, "203.0.113.0/28", "198.51.100.7/32", "2001:db8::/32")
    assert {purpose.rstrip("-12345") for purpose in found} == ({"other-network"} if loud else set())
    assert sounded(event) == set()


def test_no_mask_is_one_that_eventbridge_refuses() -> None:
    patterns = alarm_patterns(ARN, POLICIES, ["198.51.100.7/32", "2001:db8::1/128"])
    addresses = [
        value
        for purpose, pattern in patterns.items()
        if purpose.startswith("other-network")
        for value in json.loads(pattern)["detail"]["sourceIPAddress"]
    ]
    networks = [ip_network(value["cidr"]) for value in addresses if isinstance(value, dict)]
    assert all(0 < network.prefixlen < network.max_prefixlen for network in networks)
    assert "198.51.100.6" in addresses
    assert "2001:db8::" in addresses


def test_patterns_stay_within_eventbridges_limit() -> None:
    networks = [f"10.{number}.7.1" for number in range(20)]
    patterns = alarm_patterns(ARN, POLICIES, networks)
    assert max(map(len, patterns.values())) <= PATTERN_LIMIT
    assert sounded(record("sts", "AssumeRole", address="10.3.7.1"), *networks) == set()
    assert len(sounded(record("sts", "AssumeRole", address="10.3.7.2"), *networks)) == 1


def test_more_than_eventbridge_takes_is_a_fault() -> None:
    many = {f"rotate-{n}": allow(["iam:GetUser"], f"arn:aws:iam::123456789012:user/robot-{n:040}") for n in range(60)}
    patterns = alarm_patterns(ARN, many, [])
    [large, name] = alarm_pattern_faults(
        "Pulumi.dev.yaml", AlarmSettings.model_validate({"topicName": "t" * 60}), "aws", patterns
    )
    assert str(large).startswith("Pulumi.dev.yaml: engines.aws: the alarm's pattern 'other-user' would have 3")
    assert str(large).endswith(
        "characters and EventBridge takes 2048; move some of the engine's roles to another engine"
    )
    assert str(name) == (
        f"Pulumi.dev.yaml: alarm.topicName: the rule '{'t' * 60}-aws-outside-policy' would be named for it, with 79 "
        "characters, and EventBridge takes 64; shorten it by 15"
    )


def test_faults_of_the_alarm_stop_the_stack() -> None:
    with pytest.raises(
        FaultsError, match=r"alarm\.topicName: the rule 't{50}-aws-outside-policy' would be named for it"
    ):
        read_stack({"aws:region": "us-west-2", "vault-aws:alarm": {"topicName": "t" * 50}}, "local")


ARGS: AlarmArgs = {
    "topic_name": "alarms",
    "patterns": {"alarms-aws-outside-policy": '{"source":["a"]}', "alarms-aws-second-key": '{"source":["b"]}'},
    "region": "us-east-1",
    "read_only_calls": True,
}


def test_each_pattern_is_a_rule_that_tells_the_topic(recorder: Recorder) -> None:
    recorder.run(lambda: Alarm("us-east-1", ARGS).topic_arn)
    rules = recorder.of("aws:cloudwatch/eventRule:EventRule")
    targets = recorder.of("aws:cloudwatch/eventTarget:EventTarget")
    for name, pattern in ARGS["patterns"].items():
        rule, target = rules[f"us-east-1-{name}"].inputs, targets[f"us-east-1-{name}-target"]
        assert (rule["name"], rule["eventPattern"], rule["state"]) == (name, pattern, EVERY_CALL)
        assert target.inputs["rule"] == name
        # A target before the policy would lose what happens meanwhile.
        assert "us-east-1-topic-policy" in target.dependencies
        template = target.inputs["inputTransformer"]["inputTemplate"]
        assert json.loads(template).startswith(f"{name}: <who> called <call>")
    everything = [*rules.values(), *targets.values(), recorder.of("aws:sns/topic:Topic")["us-east-1-topic"]]
    assert {resource.inputs["region"] for resource in everything} == {"us-east-1"}


def test_in_the_providers_region_and_without_reads_nothing_more_is_said(recorder: Recorder) -> None:
    plain: AlarmArgs = {"topic_name": "alarms", "patterns": ARGS["patterns"]}
    recorder.run(lambda: Alarm("us-west-2", plain).topic_arn)
    for rule in recorder.of("aws:cloudwatch/eventRule:EventRule").values():
        assert not {"region", "state"} & set(rule.inputs)


def test_only_its_rules_may_publish(recorder: Recorder) -> None:
    recorder.run(lambda: Alarm("us-east-1", ARGS).topic_arn)
    policy = recorder.of("aws:sns/topicPolicy:TopicPolicy")["us-east-1-topic-policy"]
    [statement] = json.loads(policy.inputs["policy"])["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    assert statement["Resource"] == "arn:aws:sns::123456789012:us-east-1-topic"
    rules = [f"arn:aws:cloudwatch::123456789012:us-east-1-{name}" for name in ARGS["patterns"]]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rules}}
