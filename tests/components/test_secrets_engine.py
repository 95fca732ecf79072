"""The secrets engine: mount, root configuration and leases."""

import json

import pulumi
import pytest

from components.secrets_engine import SecretsEngine, SecretsEngineArgs
from tests.components.conftest import Recorder

ARGS: SecretsEngineArgs = {
    "path": "aws-test",
    "description": "for tests",
    "region": "us-west-2",
    "access_key": "AKIAEXAMPLE",
    "secret_key": pulumi.Output.secret("the key"),
    "default_lease_ttl": 3600,
    "max_lease_ttl": 14400,
    "iam_endpoint": "http://127.0.0.1:1",
    "sts_endpoint": "http://127.0.0.1:2",
    "username_template": "vault-{{ random 20 }}",
    "max_retries": 2,
}


def test_the_root_configuration_is_whole_and_its_key_secret(recorder: Recorder) -> None:
    recorder.run(lambda: SecretsEngine("aws", ARGS).path)
    backend = recorder.of("vault:aws/secretBackend:SecretBackend")["aws-backend"]
    assert backend.inputs == {
        "path": "aws-test",
        "description": "for tests",
        "region": "us-west-2",
        "accessKey": "AKIAEXAMPLE",
        "secretKey": "the key",
        "defaultLeaseTtlSeconds": 3600,
        "maxLeaseTtlSeconds": 14400,
        "iamEndpoint": "http://127.0.0.1:1",
        "stsEndpoint": "http://127.0.0.1:2",
        "usernameTemplate": "vault-{{ random 20 }}",
        "maxRetries": 2,
    }
    assert backend.secrets == {"accessKey", "secretKey"}


def test_leases_are_configured_as_the_mount_is_tuned(recorder: Recorder) -> None:
    recorder.run(lambda: SecretsEngine("aws", ARGS).path)
    lease = recorder.of("vault:generic/endpoint:Endpoint")["aws-lease"]
    assert lease.inputs["path"] == "aws-test/config/lease"
    assert json.loads(lease.inputs["dataJson"]) == {"lease": "1h0m0s", "lease_max": "4h0m0s"}
    assert lease.inputs["disableDelete"] is True
    assert lease.dependencies == {"aws-backend"}


def test_the_path_is_known_once_leases_are_configured(recorder: Recorder) -> None:
    async def dependencies() -> set[str]:
        found = await SecretsEngine("aws", ARGS).path.resources()
        return {(await resource.urn.future() or "").rpartition("::")[2] for resource in found}

    assert recorder.run(lambda: pulumi.Output.from_input(dependencies())) >= {"aws-backend", "aws-lease"}


def test_protection_holds_the_mount_and_nothing_that_may_change(recorder: Recorder) -> None:
    recorder.run(lambda: SecretsEngine("aws", {**ARGS, "protect": True}).path)
    assert {resource.name for resource in recorder.resources if resource.protect} == {"aws-backend"}


def test_a_default_over_the_maximum_is_refused(recorder: Recorder) -> None:
    with pytest.raises(ValueError, match=r"default_lease_ttl \(3600 s\) is over max_lease_ttl \(60 s\)"):
        recorder.run(lambda: SecretsEngine("aws", ARGS | {"max_lease_ttl": 60}).path)
