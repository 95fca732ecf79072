"""The alarm on calls that Vault's IAM users never make: rules on CloudTrail's records, and an SNS topic."""

import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

EVERY_CALL = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""The state of a rule that also sees calls which only read
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html)."""

_WORDS = {
    "call": "$.detail.eventName",
    "event": "$.detail.eventID",
    "from": "$.detail.sourceIPAddress",
    "service": "$.detail.eventSource",
    "when": "$.detail.eventTime",
    "who": "$.detail.userIdentity.arn",
}


class AlarmArgs(TypedDict):
    """Arguments of `Alarm`."""

    topic_name: str
    """The SNS topic's name."""

    patterns: Mapping[str, str]
    """EventBridge's event patterns (JSON) by rule name."""

    region: NotRequired[str | None]
    """The region. Default: the provider's."""

    read_only_calls: NotRequired[bool]
    """Whether calls that only read count too. Default: no."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags on the topic and the rules. Default: none."""


class Alarm(pulumi.ComponentResource):
    """An SNS topic that tells of each call that matches, and the rules that watch for them in one region.

    It sees what CloudTrail records: the account needs a trail
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html). EventBridge alone may
    publish to the topic, and only for these rules. Whom it wakes subscribes to it.
    """

    topic_arn: pulumi.Output[str]
    """The topic's ARN."""

    def __init__(self, name: str, args: AlarmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:alarm:Alarm", name, None, opts)
        region, tags = args.get("region"), args.get("tags")
        child = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(f"{name}-topic", name=args["topic_name"], region=region, tags=tags, opts=child)
        rules = {
            rule: aws.cloudwatch.EventRule(
                f"{name}-{rule}",
                name=rule,
                description="A call that Vault's IAM user never makes",
                event_pattern=pattern,
                state=EVERY_CALL if args.get("read_only_calls") else None,
                region=region,
                tags=tags,
                opts=child,
            )
            for rule, pattern in args["patterns"].items()
        }
        policy = aws.sns.TopicPolicy(
            f"{name}-topic-policy",
            arn=topic.arn,
            policy=pulumi.Output.json_dumps(_topic_policy(topic.arn, [rule.arn for rule in rules.values()])),
            region=region,
            opts=pulumi.ResourceOptions(parent=topic),
        )
        for rule_name, rule in rules.items():
            aws.cloudwatch.EventTarget(
                f"{name}-{rule_name}-target",
                rule=rule.name,
                target_id="topic",
                arn=topic.arn,
                input_transformer={"input_paths": _WORDS, "input_template": _message(rule_name)},
                region=region,
                opts=pulumi.ResourceOptions(parent=rule, depends_on=[policy]),
            )
        self.topic_arn = topic.arn
        self.register_outputs({"topicArn": self.topic_arn})


def _message(rule: str) -> str:
    # An input template is JSON, here a text.
    return json.dumps(f"{rule}: <who> called <call> of <service> from <from> at <when>; CloudTrail event <event>")


def _topic_policy(topic: pulumi.Input[str], rules: list[pulumi.Output[str]]) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TheseRulesPublish",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
            }
        ],
    }
