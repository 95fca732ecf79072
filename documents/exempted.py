"""Which findings of a role its exemptions let pass, and which exemptions do not hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from documents.findings import findings, managed_policy_finding
from documents.policy import PolicyDocument
from settings.exemptions import Exemption
from settings.faults import Fault
from settings.model import Settings
from settings.roles import SessionTokenRole


@dataclass(frozen=True)
class Exempted:
    """What a role is let off.

    Attributes:
        role: The role's name.
        exemption: What the settings say of it.
    """

    role: str
    exemption: Exemption

    def __str__(self) -> str:
        kinds = ", ".join(self.exemption.findings)
        return f"role {self.role} is exempted from {kinds} until {self.exemption.expires}: {self.exemption.reason}"


def check_role(
    name: str, settings: Settings, document: PolicyDocument | None, *, where: str, today: date
) -> tuple[list[Fault], list[Exempted]]:
    """Holds the findings of one role against its exemptions.

    Args:
        name: The role's name.
        settings: The settings that declare it.
        document: Its policy document, if it has one.
        where: The stack's file, for faults.
        today: The day on which an exemption must hold.

    Returns:
        Findings that nothing lets pass and exemptions that do not hold, as faults; and those that hold.
    """
    role = settings.roles[name]
    if isinstance(role, SessionTokenRole):
        return [], []
    found = [(document.path, finding) for finding in findings(document.content)] if document else []
    for index, arn in enumerate(role.policy_arns):
        if finding := managed_policy_finding(arn, f"roles.{name}.policyArns[{index}]"):
            found.append((where, finding))
    place = f"roles.{name}.exemptions"
    faults = list(_broken(role.exemptions, {finding.kind for _, finding in found}, where, place, today))
    let_off = {kind for exemption in role.exemptions for kind in exemption.findings}
    for path, finding in found:
        if finding.kind not in let_off:
            at = where if path == where else f"{path} (role {name})"
            faults.append(Fault(at, finding.place, f"{finding.kind}: {finding.message}; or exempt the role"))
    exempted = [Exempted(name, exemption) for exemption in role.exemptions]
    return faults, exempted


def _broken(
    exemptions: Sequence[Exemption], kinds: Iterable[str], where: str, place: str, today: date
) -> Iterable[Fault]:
    seen: set[str] = set()
    for index, exemption in enumerate(exemptions):
        if exemption.expires < today:
            yield Fault(
                where,
                f"{place}[{index}].expires",
                f"{exemption.expires} has passed; mend the policy, or decide anew and write a later day",
            )
        for kind in exemption.findings:
            if kind not in kinds:
                yield Fault(
                    where, f"{place}[{index}].findings", f"{kind!r} is not found in the role's policy; remove it"
                )
            if kind in seen:
                yield Fault(where, f"{place}[{index}].findings", f"{kind!r} is exempted twice; once is enough")
            seen.add(kind)
