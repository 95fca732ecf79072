"""Everything that a stack reads before it makes anything: its settings and its roles' policy documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from documents.limits import INLINE_POLICY_LIMIT, SESSION_POLICY_LIMIT
from documents.policy import PolicyDocument, read_policy
from documents.vault_user import VaultUserPolicies, vault_user_faults, vault_user_policies
from settings.faults import Fault, FaultsError
from settings.load import NAMESPACE, from_values
from settings.model import Settings

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
    """

    settings: Settings
    policies: Mapping[str, PolicyDocument]

    def role_documents(self, *, partition: str, account: str) -> dict[str, str]:
        """The roles' policy documents for an account: placeholders filled, canonical."""
        place = {
            "partition": partition,
            "account": account,
            "region": self.settings.region,
            "environment": self.settings.environment,
        }
        return {role: document.render(place) for role, document in self.policies.items()}

    def vault_user(self, engine: str, *, partition: str, account: str) -> VaultUserPolicies:
        """What the IAM user of an engine may do in an account."""
        return vault_user_policies(
            self.settings.engines[engine],
            self.settings.roles_of(engine),
            self.role_documents(partition=partition, account=account),
            partition=partition,
            account=account,
        )


def read_stack(
    config: Mapping[str, Any], stack: str, *, where: str | None = None, folder: Path = POLICY_FOLDER
) -> StackDocuments:
    """Reads and checks a stack's settings and documents.

    Args:
        config: Configuration values by full key (`vault-aws:roles`, `aws:region`).
        stack: The stack's name.
        where: The file to name in faults; by default `Pulumi.<stack>.yaml`.
        folder: Where the policy documents are.

    Raises:
        FaultsError: With every fault of the settings and of every document that they name.
    """
    where = where or f"Pulumi.{stack}.yaml"
    faults: list[Fault] = []
    settings = None
    try:
        settings = from_values(config, stack, where)
    except FaultsError as error:
        faults += error.faults
    known = {"region": settings.region, "environment": settings.environment} if settings else {}
    policies = _read_policies(config, folder, known, faults)
    if settings is None or faults:
        raise FaultsError(faults)
    documents = StackDocuments(settings, policies)
    for engine in settings.engines:
        faults += vault_user_faults(where, engine, documents.vault_user(engine, **_LONGEST_PLACE))
    if faults:
        raise FaultsError(faults)
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
