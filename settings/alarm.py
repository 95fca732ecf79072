"""Settings of the alarm: who is told when Vault's IAM user does what it never should."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from settings.networks import Cidr
from settings.place import home_of
from settings.types import Model, Region, matches, unique


class Alarm(Model):
    """The alarm on calls of Vault's IAM users. There is none without a `topicName`."""

    topic_name: (
        Annotated[str, matches(r"[\w-]{1,256}", "is not an SNS topic's name; letters, digits, - and _")] | None
    ) = None
    """The SNS topic to make, in each region; subscribe to it whom it should wake."""
    allowed_networks: Annotated[list[Cidr], AfterValidator(unique), Field(max_length=100)] = []
    """The networks from which Vault's servers call AWS; a call from elsewhere sounds it. Empty: from anywhere."""
    regions: Annotated[list[Region], AfterValidator(unique), Field(min_length=1)] | None = None
    """Where the rules stand: CloudTrail reports a call where it was answered. By default the region of IAM's own
    records (us-east-1; cn-north-1 and us-gov-west-1 in those partitions) and the stack's."""
    read_only_calls: bool = True
    """Whether calls that only read (Get, List, Describe) count too. AWS's rules take them since late 2023."""

    def rule_regions(self, own: str) -> list[str]:
        """The regions that get rules, where the stack's is `own`.

        CloudTrail reports calls of IAM, which has no regions, in one of each partition
        (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events).
        """
        return self.regions or sorted({home_of(own), own})


def alarm_faults(alarm: Alarm) -> Iterator[tuple[str, str]]:
    """The rules that take more than one field, as (field, message)."""
    if alarm.topic_name is None and alarm != Alarm():
        yield "alarm.topicName", "is missing, and nothing is watched without; name the SNS topic to make"
