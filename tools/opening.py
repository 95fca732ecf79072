"""Opens a stack for a command: its toolchain and servers, its settings, its Vault."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import hvac
from pydantic import ValidationError

from components.vault_cluster import NoVaultError, seal_status
from documents.stack import read_stack
from settings.load import read_config
from settings.model import Settings
from settings.place import LOCAL
from settings.vault_connection import VaultConnection
from settings.vault_pin import VaultPin
from tools import toolchain
from tools.errors import ToolError
from tools.local_stack import LocalStack
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack
from tools.vault_server import find_vault

Say = Callable[[str], None]


def open_stack(name: str, home: Path, *, start: bool, say: Say) -> PulumiStack:
    """The stack with its environment; the local one with its servers.

    Args:
        name: The stack's name.
        home: The folder of the local stack.
        start: Whether the local servers are started unless they run.
        say: Takes one line for each thing worth knowing.

    Raises:
        ToolError: There is no such stack, its tools cannot be had, or the local servers do not run.
    """
    if name != LOCAL:
        require_file(name)
        found = toolchain.find(need_engine=False, say=say)
        return PulumiStack(name, found.env(os.environ))
    local = LocalStack(home)
    if not start:
        # Whoever forgot to start them need not wait until tools are built.
        local_environment(local)
    vault = find_vault(os.environ)
    found = toolchain.find(need_engine=vault is None, say=say)
    if start:
        local.start(vault=vault, engine_plugin=found.engine_plugin, say=say)
    env = found.env(os.environ) | local_environment(local)
    return PulumiStack(LOCAL, env, local.config_file)


def require_file(stack: str) -> None:
    """Checks that a stack has a file.

    Raises:
        ToolError: It has none.
    """
    files = {path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in PROJECT.glob("Pulumi.*.yaml")}
    if stack not in files:
        raise ToolError(
            f"STACK={stack}: there is no Pulumi.{stack}.yaml; the stacks are {', '.join(sorted(files))}, and "
            "`make new-env NAME=…` makes another"
        )


def local_environment(local: LocalStack) -> dict[str, str]:
    """What the local stack's commands need; it holds secrets.

    Raises:
        ToolError: Its servers do not run.
    """
    if not local.running:
        raise ToolError("the local servers do not run; `make up` starts them")
    return local.environment()


def enter(stack: PulumiStack) -> None:
    """Takes on the stack's environment, for the clients of Vault and AWS in this process."""
    os.environ.update(stack.env)
    os.environ.setdefault("AWS_DEFAULT_REGION", str(config_of(stack).get("aws:region", "us-east-1")))


def config_of(stack: PulumiStack) -> dict[str, Any]:
    """The stack's configuration, over what it shares."""
    return read_config(stack.config_file or stack.project / f"Pulumi.{stack.name}.yaml")


def settings_of(stack: PulumiStack) -> Settings:
    """The stack's settings.

    Raises:
        FaultsError: With every fault of them and of the documents that they name.
    """
    return read_stack(config_of(stack), stack.name).settings


def outputs_of(recorded: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What a stack exports, by the resources that its state holds; nothing, if it was never updated to its end."""
    for resource in recorded:
        if resource["type"] == "pulumi:pulumi:Stack":
            found: Mapping[str, Any] = resource.get("outputs") or {}
            return found
    return {}


def vault_of(stack: PulumiStack) -> hvac.Client:
    """A client of the stack's Vault, with the token of the environment or of `vault login`.

    Raises:
        ToolError: It is not the Vault that the stack is for, none answers, it is sealed, or it does not take the token.
    """
    config = config_of(stack)
    vault = VaultConnection.of(config)
    try:
        pin = VaultPin.model_validate(config.get("vault-aws:vault") or {})
        status = seal_status(vault.address, vault.verify)
    except ValidationError:
        raise ToolError(f"vault-aws:vault of the stack {stack.name} has faults; `make check` names them") from None
    except NoVaultError as error:
        raise ToolError(f"nothing was changed; {error}; check vault:address, and the certificate") from None
    if status["sealed"]:
        raise ToolError(
            f"nothing was changed; the Vault at {vault.address} is sealed; unseal it (`vault operator unseal`) and run "
            "the same command again"
        )
    if wrong := pin.mismatch(vault.address, status) if pin.pins else None:
        raise ToolError(f"nothing was changed; {wrong}; correct vault:address, or vault-aws:vault")
    client = hvac.Client(url=vault.address, verify=vault.verify, namespace=vault.namespace)
    try:
        client.auth.token.lookup_self()
    except hvac.exceptions.Forbidden:
        raise ToolError(
            f"nothing was changed; the Vault at {vault.address} does not take the token of VAULT_TOKEN or "
            "~/.vault-token: it has expired, was revoked, or is another Vault's; log in again"
        ) from None
    except hvac.exceptions.VaultError as error:
        raise ToolError(
            f"nothing was changed; the Vault at {vault.address} answers, but fails ({' '.join(str(error).split())}); "
            "its server log says why; one reason is that no audit device can write, for want of room"
        ) from None
    return client
