"""What a stack makes carries its partition: in China, GovCloud and the European Sovereign Cloud no ARN is of `aws`."""

import json
import re

import pytest

from documents.pulumi_aws_policy import StateStore, pulumi_aws_policy
from documents.stack import StackDocuments, read_stack
from settings.faults import FaultsError
from settings.files import config_of
from tools.paths import PROJECT

PLACES = [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eusc-de-east-1", "aws-eusc")]
ACCOUNT = "333344445555"


def read(region: str) -> StackDocuments:
    return read_stack(config_of(PROJECT / "Pulumi.prod.yaml") | {"aws:region": region}, "prod")


@pytest.mark.parametrize(("region", "partition"), PLACES)
def test_every_arn_is_of_the_regions_partition(region: str, partition: str) -> None:
    documents = read(region)
    place = {"partition": partition, "account": ACCOUNT}
    boundary = documents.boundary("aws", **place)
    assert boundary and boundary.document
    texts = [
        *documents.role_documents(**place).values(),
        *documents.vault_user("aws", **place).documents.values(),
        *documents.alarm_patterns("aws", **place).values(),
        *documents.boundary_arns("aws", **place).values(),
        boundary.document,
        json.dumps([role.vault_fields() for role in documents.settings.roles.values()]),
    ]
    found = [re.findall(r"arn:([^:*]*):", text) for text in texts]
    assert {name for names in found for name in names} == {partition}
    assert all(found[:2]), "the texts hold no ARN, so that this would prove nothing"


@pytest.mark.parametrize(("region", "partition"), PLACES)
def test_so_is_what_a_pipelines_identities_may_do(region: str, partition: str) -> None:
    key = f"arn:{partition}:kms:{region}:{ACCOUNT}:key/1"
    store = StateStore(f"arn:{partition}:s3:::states", "prod/", key)
    for changes in (True, False):
        text = pulumi_aws_policy(read(region), account=ACCOUNT, partition=partition, changes=changes, state=store)
        assert set(re.findall(r"arn:([^:*]*):", text)) == {partition}


@pytest.mark.parametrize(
    ("region", "regions"),
    [
        ("cn-northwest-1", ["cn-north-1", "cn-northwest-1"]),
        ("us-gov-east-1", ["us-gov-east-1", "us-gov-west-1"]),
        ("eusc-de-east-1", ["eusc-de-east-1"]),
        ("eu-central-1", ["eu-central-1", "us-east-1"]),
    ],
)
def test_the_alarm_listens_where_iam_is_recorded_in_that_partition(region: str, regions: list[str]) -> None:
    assert read(region).settings.alarm.rule_regions(region) == regions


def test_an_arn_of_another_partition_is_a_fault() -> None:
    config = config_of(PROJECT / "Pulumi.prod.yaml") | {
        "aws:region": "us-gov-west-1",
        "vault-aws:roles": {"deploy": {"roleArns": ["arn:aws:iam::333344445555:role/deploy"]}},
    }
    with pytest.raises(FaultsError) as caught:
        read_stack(config, "prod")
    assert str(caught.value) == (
        "Pulumi.prod.yaml: roles.deploy.roleArns[0]: 'arn:aws:iam::333344445555:role/deploy' is of the partition aws, "
        "and us-gov-west-1 is of aws-us-gov; write ${partition}, or the stack's own"
    )
