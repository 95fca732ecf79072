"""What is measured: generated roles, each with a policy document of its own, as settings and as what Vault is given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from documents.stack import StackDocuments, read_stack
from documents.vault_policies import engine_policies
from settings.place import LOCAL
from settings.shared import with_shared
from tools.local_aws.environment import ACCOUNT, PARTITION
from tools.pulumi_stack import PulumiStack

LEFT_OUT: Final = ("access", "alarm", "audit", "authMethods", "engines", "environment", "roles")
"""Settings of Pulumi.local.yaml that are not measured, so that each way makes roles, Vault policies and mounts."""

_TAG = "round"


@dataclass(frozen=True)
class Declared:
    """Generated roles on mounts.

    Attributes:
        mounts: The paths of the mounts; each is an engine of that name.
        count: How many roles there are; they go round the mounts.
        prefix: How the roles' names begin.
        changed: How many of them differ, by a tag, from what they are without.
    """

    mounts: Sequence[str]
    count: int
    prefix: str = "role"
    changed: int = 0

    @property
    def documents(self) -> dict[str, dict[str, Any]]:
        """The policy document of each role, by role name; no two are alike."""
        found = {}
        for number in range(self.count):
            bucket = f"arn:${{partition}}:s3:::{self.prefix}-bucket-{number}"
            statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"]}
            statement |= {"Resource": [bucket, f"{bucket}/*"]}
            found[self._name(number)] = {"Version": "2012-10-17", "Statement": [statement]}
        return found

    def settings(self, endpoint: str) -> dict[str, Any]:
        """The settings `engines` and `roles`; `endpoint` is AWS's address."""
        engine = {"iamEndpoint": endpoint, "stsEndpoint": endpoint, "defaultLeaseTtl": "1h", "maxLeaseTtl": "4h"}
        roles: dict[str, Any] = {}
        for number in range(self.count):
            name = self._name(number)
            roles[name] = {
                "credentialType": "iam_user",
                "engine": self.mounts[number % len(self.mounts)],
                "policy": f"{name}.json",
                "probes": {"denied": [{"call": "iam:ListUsers"}]},
            }
            if number < self.changed:
                roles[name]["tags"] = {_TAG: "second"}
        return {"engines": {mount: dict(engine) for mount in self.mounts}, "roles": roles}

    def _name(self, number: int) -> str:
        return f"{self.prefix}-{number:04}"


def write_settings(stack: PulumiStack, config: Mapping[str, Any], declared: Declared) -> None:
    """Writes what a stack is measured with: its file, the roles in a file it shares, and the policy documents.

    Pulumi hands a program its configuration as one variable of the environment, of which Linux takes 128 KiB
    (MAX_ARG_STRLEN, https://man7.org/linux/man-pages/man2/execve.2.html); what is shared the program reads itself.

    Args:
        stack: The stack, of a scratch copy.
        config: Pulumi.local.yaml's configuration with the addresses of the servers.
        declared: The roles.
    """
    if stack.config_file is None:
        raise ValueError("a stack of the project itself is not measured")
    [endpoints] = config["aws:endpoints"]
    own = {key: value for key, value in config.items() if key.removeprefix("vault-aws:") not in LEFT_OUT}
    # The policy pack asks other environments for audit devices, which would cost the other ways as well.
    own["vault-aws:environment"] = LOCAL
    own["vault-aws:shared"] = f"shared-{stack.name}.yaml"
    stack.config_file.write_text(yaml.safe_dump({"config": own}))
    shared = {f"vault-aws:{key}": value for key, value in declared.settings(endpoints["iam"]).items()}
    (stack.project / f"shared-{stack.name}.yaml").write_text(yaml.safe_dump({"config": shared}))
    for name, document in declared.documents.items():
        (stack.project / "policies" / f"{name}.json").write_text(json.dumps(document))


@dataclass(frozen=True)
class Written:
    """What Vault is given of declared roles: the fields that the stack would write, for ways that know no settings.

    Attributes:
        roles: The fields of `MOUNT/roles/NAME`, by role name.
        policies: The Vault policies, by name.
    """

    roles: Mapping[str, Mapping[str, Any]]
    policies: Mapping[str, str]


def written(declared: Declared, config: Mapping[str, Any], project: Path) -> Written:
    """What Vault is given of roles on one mount, whose policy documents are in `project/policies`."""
    [mount] = declared.mounts
    [endpoints] = config["aws:endpoints"]
    own = {"aws:region": config["aws:region"], "vault:address": config["vault:address"]}
    own |= {f"vault-aws:{key}": value for key, value in declared.settings(endpoints["iam"]).items()}
    found = read_stack(with_shared(own, LOCAL, "generated", project), LOCAL, folder=project / "policies")
    return Written(_fields(found, mount), engine_policies(found.settings, mount))


def _fields(found: StackDocuments, mount: str) -> dict[str, Mapping[str, Any]]:
    place = {"partition": PARTITION, "account": ACCOUNT}
    policies, boundaries = found.role_documents(**place), found.boundary_arns(mount, **place)
    return {
        name: {
            **role.vault_fields(),
            "policy_document": policies[name],
            "permissions_boundary_arn": boundaries[name],
        }
        for name, role in found.settings.roles_of(mount).items()
    }
