"""Settings of the secrets engines and of the IAM users whose keys they hold."""

from typing import Annotated

from pydantic import AfterValidator, Field

from settings.durations import Duration
from settings.types import Endpoint, IamPath, Model, MountPath, Region, matches, rule_broken
from settings.usernames import username_template_fault


def _username_template(value: str) -> str:
    if message := username_template_fault(value):
        raise rule_broken(message)
    return value


class VaultUser(Model):
    """The IAM user whose key an engine holds."""

    name: Annotated[str, matches(r"[\w+=,.@-]{1,64}", "is not an IAM user name")] | None = None
    """Its name; by default `secrets-engine-<environment>-<engine>`."""
    path: IamPath = "/vault/"
    """Its IAM path."""
    key_generation: Annotated[int, Field(ge=1)] = 1
    """Raise it to rotate: a new key is made, given to Vault, and then the old one is deleted."""


class Engine(Model):
    """One mount of the AWS secrets engine."""

    path: MountPath | None = None
    """Where it is mounted; by default the engine's name."""
    description: str = "AWS credentials, made for each request"
    """What `vault secrets list` shows."""
    region: Region | None = None
    """The region of its calls to IAM and STS; by default `aws:region`."""
    default_lease_ttl: Duration = 3600
    """How long a lease lives unless asked otherwise."""
    max_lease_ttl: Duration = 4 * 3600
    """The longest that any lease of this mount lives."""
    iam_endpoint: Endpoint | None = None
    """Another address of IAM."""
    sts_endpoint: Endpoint | None = None
    """Another address of STS."""
    username_template: Annotated[str, AfterValidator(_username_template)] | None = None
    """How Vault names IAM users and sessions, a Go template; by default Vault's own."""
    max_retries: Annotated[int, Field(ge=-1, le=100)] = -1
    """How often Vault repeats a failed call to AWS; -1 leaves it to the AWS SDK."""
    vault_user: VaultUser = VaultUser()
    """The IAM user whose key this engine holds."""
