"""What the bootstrap program starts from: its own few settings, and the stack for which it makes identities."""

from collections.abc import Mapping
from typing import Annotated, Any

import pulumi
from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from documents.delivery import Repository
from documents.pulumi_aws_policy import StateStore
from documents.stack import StackDocuments, read_stack
from program.vault_pin import require_vault
from settings.auth_methods import Pem
from settings.faults import Fault, FaultsError
from settings.load import decode_config, read_config
from settings.nearest import did_you_mean
from settings.shared import FOLDER
from settings.types import Model, arn_of, matches, rule_broken

PREFIX = "vault-aws-bootstrap:"


def _without_slash(value: str) -> str:
    if not value.startswith("https://") or value.endswith("/"):
        raise rule_broken(f"{value!r} must begin with https:// and end without a slash, as the tokens' iss does")
    return value


class State(Model):
    """Where Pulumi's state is."""

    bucket: Annotated[str, matches(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "is not a bucket's name")]
    """The bucket."""
    prefix: Annotated[str, matches(r"([\w.-]+/)*", "must be folders that each end with a slash")] = ""
    """The prefix of the state's objects."""
    key: Annotated[str, arn_of("kms", "key")] | None = None
    """The ARN of the KMS key of the secrets provider."""


class Ids(Model):
    """GitHub's numbers of the repository."""

    owner: Annotated[int, Field(gt=0)]
    """The owner's."""
    repository: Annotated[int, Field(gt=0)]
    """The repository's own."""


class Delivery(Model):
    """The settings of the bootstrap program."""

    repository: Annotated[str, matches(r"[\w.-]+/[\w.-]+", "must be owner and name, such as example/vault-aws")]
    """The repository whose jobs run the stack."""
    ids: Ids | None = None
    """Its numbers, if the subjects of its tokens have them."""
    branch: Annotated[str, matches(r"[\w./-]+", "is not a branch's name")] = "main"
    """The branch from which changes are made."""
    issuer: Annotated[str, AfterValidator(_without_slash)] = "https://token.actions.githubusercontent.com"
    """The issuer of the jobs' tokens."""
    issuer_keys: list[Pem] = []
    """The issuer's public keys, for a Vault that cannot reach it."""
    auth_path: Annotated[str, matches(r"[a-z][a-z0-9-]*", "must be lower-case letters, digits and hyphens")] = (
        "delivery"
    )
    """Where the JWT method is mounted."""
    provider_arn: str = ""
    """The account's OIDC provider, where there is one."""
    state: State | None = None
    """Where Pulumi's state is, if the roles are to reach it."""

    @property
    def jobs(self) -> Repository:
        """Whose jobs they are."""
        ids = (self.ids.owner, self.ids.repository) if self.ids else None
        return Repository(self.repository, self.branch, self.issuer, ids)

    def store(self, partition: str) -> StateStore | None:
        """The state's place for the policies."""
        if self.state is None:
            return None
        return StateStore(f"arn:{partition}:s3:::{self.state.bucket}", self.state.prefix, self.state.key)


def read_delivery() -> tuple[Delivery, StackDocuments, Mapping[str, Any]]:
    """The program's settings, the documents of the stack of the same name, and the whole configuration.

    Raises:
        pulumi.RunError: With every fault, or that Vault is not the stack's. Nothing has been made then.
    """
    stack = pulumi.get_stack()
    config = decode_config(pulumi.runtime.config.CONFIG.get())
    try:
        where = f"bootstrap/Pulumi.{stack}.yaml"
        delivery = delivery_of(config, where)
        of_stack = read_config(FOLDER / f"Pulumi.{stack}.yaml")
        documents = read_stack(of_stack, stack)
        same_vault(config, of_stack, where)
    except FaultsError as faults:
        raise pulumi.RunError(f"nothing was changed; mend these first:\n{faults}") from None
    require_vault(documents, config)
    return delivery, documents, config


def same_vault(config: Mapping[str, Any], of_stack: Mapping[str, Any], where: str) -> None:
    """Sees that this program and the stack name one Vault in one way.

    A job asks for a token for the address that its stack names, and the login takes tokens for no other.

    Raises:
        FaultsError: They do not.
    """
    mine, theirs = (values.get("vault:address") for values in (config, of_stack))
    if not mine or mine != theirs:
        raise FaultsError(
            [Fault(where, "vault:address", f"is {mine!r}; write {theirs!r}, as the stack's own file does")]
        )


def delivery_of(config: Mapping[str, Any], where: str) -> Delivery:
    """The program's settings from configuration values by full key.

    Raises:
        FaultsError: With every fault.
    """
    own = {key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)}
    # Pulumi.yaml can give no default of null.
    own |= {name: own.get(name) or None for name in ("ids", "state")}
    try:
        return Delivery.model_validate(own)
    except ValidationError as error:
        raise FaultsError(sorted(_fault(details, where) for details in error.errors(include_url=False))) from None


def _fault(details: ErrorDetails, where: str) -> Fault:
    steps = [str(step) for step in details["loc"]]
    message = details["msg"]
    if details["type"] == "missing":
        message = "is missing"
    elif details["type"] == "extra_forbidden":
        parts: dict[str, type[Model]] = {"ids": Ids, "state": State}
        model = parts[steps[0]] if len(steps) > 1 else Delivery
        known = {str(field.alias) for field in model.model_fields.values()}
        message = f"is not a setting{did_you_mean(steps[-1], known)}"
    return Fault(where, PREFIX + ".".join(steps), message)
