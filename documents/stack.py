"""Everything that a stack reads before it makes anything: its settings and its roles' policy documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from documents.alarm import alarm_pattern_faults, alarm_patterns
from documents.boundary import Boundary, boundary_arns, boundary_of, read_boundary
from documents.exempted import check_role
from documents.limits import INLINE_POLICY_LIMIT, SESSION_POLICY_LIMIT
from documents.policy import PolicyDocument, read_policy
from documents.vault_user import VaultUserPolicies, vault_user_faults, vault_user_policies
from settings.faults import Fault, FaultsError
from settings.files import NAMESPACE
from settings.load import from_values
from settings.model import Settings
from settings.place import pin_faults, pinned_accounts
from settings.shared import with_shared

POLICY_FOLDER = Path(__file__).resolve().parent.parent / "policies"
"""Where the roles' policy documents are."""

_LONGEST_PLACE = {"account": "123456789012", "partition": "aws-us-gov"}
"""What the sizes are checked with, where the real account is not asked for."""


@dataclass(frozen=True)
class StackDocuments:
    """The settings of a stack with the documents that they name; all of it has been checked.

    Attributes:
        settings: The typed settings.
        policies: The policy document of each role that has one, by role name.
        boundaries: The document of each engine's permissions boundary, by engine name, if the stack makes it.
        warnings: What a person must see whenever they work on the stack: exemptions, and keys that are too old.
        accounts: The AWS accounts that the stack is pinned to; none for the local one.
    """

    settings: Settings
    policies: Mapping[str, PolicyDocument]
    boundaries: Mapping[str, PolicyDocument]
    warnings: tuple[str, ...]
    accounts: tuple[str, ...] = ()

    def role_documents(self, *, partition: str, account: str) -> dict[str, str]:
        """The roles' policy documents for an account: placeholders filled, canonical."""
        place = {
            "partition": partition,
            "account": account,
            "region": self.settings.region,
            "environment": self.settings.environment,
        }
        return {role: document.render(place) for role, document in self.policies.items()}

    def boundary(self, engine: str, *, partition: str, account: str) -> Boundary | None:
        """The permissions boundary of the users that an engine makes; None if no role of it takes one."""
        return boundary_of(self.settings, engine, self.boundaries.get(engine), partition=partition, account=account)

    def boundary_arns(self, engine: str, *, partition: str, account: str) -> Mapping[str, str]:
        """The ARN of the boundary of each role whose users carry one, be it the engine's or its own."""
        return boundary_arns(self.settings, engine, self.boundary(engine, partition=partition, account=account))

    def vault_user(self, engine: str, *, partition: str, account: str) -> VaultUserPolicies:
        """What the IAM user of an engine may do in an account."""
        return vault_user_policies(
            self.settings.engines[engine],
            self.settings.roles_of(engine),
            self.role_documents(partition=partition, account=account),
            boundaries=set(self.boundary_arns(engine, partition=partition, account=account).values()),
            own_user=f"{self.settings.engines[engine].vault_user.path}{self.settings.vault_user_name(engine)}",
            static_roles=self.settings.static_roles_of(engine),
            partition=partition,
            account=account,
        )

    def alarm_patterns(self, engine: str, *, partition: str, account: str) -> dict[str, str]:
        """EventBridge's patterns of what the IAM user of an engine should never do, by purpose."""
        own = f"{self.settings.engines[engine].vault_user.path}{self.settings.vault_user_name(engine)}"
        policies = self.vault_user(engine, partition=partition, account=account).documents
        networks = self.settings.alarm.allowed_networks
        return alarm_patterns(f"arn:{partition}:iam::{account}:user{own}", policies, networks)


def read_stack(
    config: Mapping[str, Any],
    stack: str,
    *,
    where: str | None = None,
    folder: Path = POLICY_FOLDER,
    today: date | None = None,
) -> StackDocuments:
    """Reads and checks a stack's settings and documents.

    Args:
        config: Configuration values by full key (`vault-aws:roles`, `aws:region`).
        stack: The stack's name.
        where: The file to name in faults; by default `Pulumi.<stack>.yaml`.
        folder: Where the policy documents are.
        today: The day on which exemptions must hold and keys be young enough; by default today's, in UTC.

    Raises:
        FaultsError: With every fault of the settings and of every document that they name.
    """
    where = where or f"Pulumi.{stack}.yaml"
    config = with_shared(config, stack, where)
    environment = str(config.get(f"{NAMESPACE}:environment") or stack)
    faults = [Fault(where, *fault) for fault in pin_faults(config, environment)]
    settings = None
    try:
        settings = from_values(config, stack, where)
    except FaultsError as error:
        faults += error.faults
    known = {"region": settings.region, "environment": settings.environment} if settings else {}
    policies = _read_policies(config, folder, known, faults)
    if settings is None:
        raise FaultsError(faults)
    day = today or datetime.now(UTC).date()
    warnings: list[str] = []
    for name, role in settings.roles.items():
        # What is found in a document that has faults would be guessed.
        if getattr(role, "policy", None) is None or name in policies:
            role_faults, exempted = check_role(name, settings, policies.get(name), where=where, today=day)
            faults += role_faults
            warnings += map(str, exempted)
    warnings += _old_keys(settings, day)
    boundaries = _read_boundaries(settings, folder, faults)
    if faults:
        raise FaultsError(config.attributed(faults))
    documents = StackDocuments(settings, policies, boundaries, tuple(warnings), pinned_accounts(config))
    for engine in settings.engines:
        faults += vault_user_faults(where, engine, documents.vault_user(engine, **_LONGEST_PLACE))
        if settings.alarm.topic_name:
            patterns = documents.alarm_patterns(engine, **_LONGEST_PLACE)
            faults += alarm_pattern_faults(where, settings.alarm, engine, patterns)
    if faults:
        raise FaultsError(config.attributed(faults))
    return documents


def _read_policies(
    config: Mapping[str, Any], folder: Path, known: Mapping[str, str], faults: list[Fault]
) -> dict[str, PolicyDocument]:
    """Reads what the roles name even where the settings have faults, so that all is said at once."""
    roles = config.get(f"{NAMESPACE}:roles")
    policies = {}
    for name, role in roles.items() if isinstance(roles, dict) else ():
        policy = role.get("policy") if isinstance(role, dict) else None
        if not isinstance(policy, str):
            continue
        limit = INLINE_POLICY_LIMIT if role.get("credentialType") == "iam_user" else SESSION_POLICY_LIMIT
        try:
            policies[name] = read_policy(folder, policy, role=str(name), limit=limit, known_values=known)
        except FaultsError as error:
            faults += error.faults
    return policies


def _read_boundaries(settings: Settings, folder: Path, faults: list[Fault]) -> dict[str, PolicyDocument]:
    documents = {}
    for name, engine in settings.engines.items():
        if engine.permissions_boundary.endswith(".json"):
            try:
                documents[name] = read_boundary(folder, engine.permissions_boundary)
            except FaultsError as error:
                faults += [replace(fault, where=f"{fault.where} (engine {name})") for fault in error.faults]
    return documents


def _old_keys(settings: Settings, today: date) -> Iterator[str]:
    for name, engine in settings.engines.items():
        renew_by = engine.vault_user.renew_key_by
        if renew_by and renew_by < today:
            yield (
                f"engine {name}: its key of {engine.vault_user.key_made} should have been renewed by {renew_by}; raise "
                "vaultUser.keyGeneration and set vaultUser.keyMade to today"
            )
