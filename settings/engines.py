"""Settings of the secrets engines and of the IAM users whose keys they hold."""

import hashlib
import json
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from settings.arns import arn_fault
from settings.durations import Duration
from settings.exemptions import Day
from settings.types import Endpoint, IamPath, Model, MountPath, Region, matches, rule_broken
from settings.usernames import TRACEABLE, username_template_fault


def _username_template(value: str) -> str:
    if message := username_template_fault(value):
        raise rule_broken(message)
    return value


def _boundary(value: str) -> str:
    if value.endswith(".json"):
        return value
    if message := arn_fault(value, "iam", "policy"):
        raise rule_broken(f"{message}; or name a document in policies/ that ends in .json")
    return value


class VaultUser(Model):
    """The IAM user whose key an engine holds."""

    name: (
        Annotated[
            str, matches(r"[\w+=,.@-]{1,64}", "is not an IAM user name; write 1 to 64 letters, digits and +=,.@_-")
        ]
        | None
    ) = None
    """Its name; by default `secrets-engine-<environment>-<engine>`."""
    path: IamPath = "/vault/"
    """Its IAM path."""
    key_generation: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Raise it to rotate: a new key is made, given to Vault, and then the old one is deleted."""
    key_made: Day | None = None
    """The day on which the key of this generation was made; without it the key has no age."""
    maximum_key_age: Duration = 90 * 24 * 3600
    """How old the key may get. Over it previews warn, and the policy pack refuses."""

    @property
    def renew_key_by(self) -> date | None:
        """The last day on which the key is not too old, if the day on which it was made is known."""
        if self.key_made is None:
            return None
        age = timedelta(seconds=self.maximum_key_age)
        return self.key_made + age if self.key_made < date.max - age else date.max

    @property
    def key_tags(self) -> dict[str, str]:
        """The key's age as tags of the user, by which AWS's own tools, and the policy pack, see it."""
        if not self.key_made or not self.renew_key_by:
            return {}
        return {"vault-aws:key-made": str(self.key_made), "vault-aws:key-renew-by": str(self.renew_key_by)}


class Engine(Model):
    """One mount of the AWS secrets engine."""

    rotation: Literal["stack", "vault"] = "stack"
    """Who rotates Vault's own key: the stack, by key generations, or Vault, which keeps the key to itself."""
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
    username_template: Annotated[str, AfterValidator(_username_template)] = TRACEABLE
    """How Vault names IAM users and sessions, a Go template; by default `vault-ROLE-CALLER-RANDOM`."""
    max_retries: Annotated[int, Field(ge=-1, le=100)] = -1
    """How often Vault repeats a failed call to AWS; -1 leaves it to the AWS SDK."""
    vault_user: VaultUser = VaultUser()
    """The IAM user whose key this engine holds."""
    permissions_boundary: Annotated[str, AfterValidator(_boundary)] = "boundaries/leased-user.json"
    """What bounds every IAM user that Vault makes: a document in policies/, or the ARN of a managed policy."""

    def root_fields(self, region: str) -> dict[str, str | int]:
        """The root configuration without its key, as Vault stores and returns it; `region` is the stack's."""
        return {
            "region": self.region or region,
            "iam_endpoint": self.iam_endpoint or "",
            "sts_endpoint": self.sts_endpoint or "",
            "username_template": self.username_template,
            "max_retries": self.max_retries,
        }

    @property
    def key_generation(self) -> str:
        """Names the generation of the key that the stack rotates.

        Another username template takes another key: the provider writes the root configuration when the key, the region
        or an endpoint changes, and not for a template alone (hashicorp/terraform-provider-vault, v5.9.0).
        """
        generation = str(self.vault_user.key_generation)
        if self.username_template == TRACEABLE:
            return generation
        return f"{generation}-{hashlib.sha256(self.username_template.encode()).hexdigest()[:8]}"

    def root_digest(self, region: str) -> str:
        """Eight characters that change with the root configuration."""
        text = json.dumps(self.root_fields(region), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]
