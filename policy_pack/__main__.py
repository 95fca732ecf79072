"""The policy pack, as the engine runs it: `pulumi preview --policy-pack policy_pack`.

The rules are in modules of their own, as plain functions; here they are given names, and what is demanded of the
stack's environment. A run of this module starts a server and does not return.
"""

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

# The engine runs this folder alone; the rules share what the project knows of policy documents.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policy_pack.engine import listen
from policy_pack.facts import Facts, facts_of
from policy_pack.keys import audited, key_age
from policy_pack.roles import boundary, least_privilege, lifetimes
from policy_pack.secret_inputs import plain_secrets, sentence
from policy_pack.values import Props
from policy_pack.vault_policies import narrow_policies
from settings.faults import FaultsError
from settings.load import decode_config
from settings.shared import with_shared

Rule = Callable[[str, Props, Facts], Iterator[str]]

RULES: dict[str, Rule] = {
    "least-privilege": least_privilege,
    "permissions-boundary": boundary,
    "lifetimes": lifetimes,
    "vault-policies": narrow_policies,
    "key-age": key_age,
}


class Pack:
    """The policies, which wait for the engine to say what stack they are run on."""

    def __init__(self) -> None:
        self.facts = facts_of({}, "", _today())
        self.policies: list[Policy] = [*(self._of_each_resource(name, rule) for name, rule in RULES.items())]
        self.policies += [StackValidationPolicy("audit", _title(audited), self._audit), self._of_secrets()]

    def told(self, stack: str, config: Mapping[str, str]) -> None:
        """Takes what the engine says of the stack."""
        self.facts = facts_of(_with_shared(decode_config(config), stack), stack, _today())
        level = EnforcementLevel.MANDATORY if self.facts.environment.mandatory else EnforcementLevel.ADVISORY
        for policy in self.policies:
            if policy.enforcement_level is not EnforcementLevel.REMEDIATE:
                policy.enforcement_level = level

    def _of_each_resource(self, name: str, rule: Rule) -> ResourceValidationPolicy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            for message in rule(args.resource_type, args.props, self.facts):
                report(message, None)

        return ResourceValidationPolicy(name, _title(rule), validate)

    def _audit(self, args: StackValidationArgs, report: ReportViolation) -> None:
        for message in audited({resource.resource_type for resource in args.resources}, self.facts):
            report(message, None)

    def _of_secrets(self) -> ResourceValidationPolicy:
        """The rule about secrets, which stops a stack in every environment.

        What is a secret the engine tells to a remediation alone, and it runs that before the validation of the
        same resource: so the one looks, changes nothing, and the other reports what it saw.
        """
        seen: dict[str, list[str]] = {}

        def look(args: ResourceValidationArgs) -> Any:  # noqa: ANN401 - as pulumi_policy has it
            # "__target" is the way of pulumi_policy's proxies to the values with their secrecy.
            seen[args.urn] = list(plain_secrets(args.props["__target"]))

        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            for field in seen.pop(args.urn, []):
                report(sentence(args.resource_type, args.name, field), None)

        title = "Secrets are encrypted in the state."
        return ResourceValidationPolicy("secret-inputs", title, validate, EnforcementLevel.REMEDIATE, remediate=look)


def _with_shared(config: Mapping[str, Any], stack: str) -> Mapping[str, Any]:
    try:
        return with_shared(config, stack, f"Pulumi.{stack}.yaml")
    except FaultsError:
        # The program says what is wrong with the file; here the stack's own settings have to do.
        return config


def _title(rule: Callable[..., object]) -> str:
    return (rule.__doc__ or "").splitlines()[0]


def _today() -> date:
    return datetime.now(UTC).date()


if __name__ == "__main__":
    # Each look for garbage in cycles would go through all that the rules know, and find next to none.
    gc.disable()
    pack = Pack()
    listen(pack.told)
    PolicyPack("vault-aws", pack.policies)
