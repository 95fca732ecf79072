"""An audit device of Vault: where the server writes every request and response."""

import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_vault as vault


class AuditDeviceArgs(TypedDict):
    """Arguments of `AuditDevice`."""

    path: str
    """The device's path, without a slash at its end."""

    type: str
    """`file`, `socket` or `syslog`."""

    options: Mapping[str, pulumi.Input[str]]
    """The type's options, by Vault's names (https://developer.hashicorp.com/vault/docs/audit)."""

    description: NotRequired[pulumi.Input[str]]
    """What `vault audit list` shows. Default: none."""


class AuditDevice(pulumi.ComponentResource):
    """One audit device that the stack makes.

    A change of any of its arguments takes the old device away before the new one is there, since both have
    one path: with a second device nothing goes unrecorded meanwhile. A new device hashes with a new salt, so
    values in the old one's log can no longer be looked up by `sys/audit-hash`.
    """

    path: pulumi.Output[str]
    """The device's path, once it records."""

    def __init__(self, name: str, args: AuditDeviceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:audit:AuditDevice", name, None, opts)
        if args["options"].get("log_raw", "false") != "false":
            raise ValueError(f"AuditDevice {name}: log_raw would write secrets in clear text; remove it")
        device = vault.Audit(
            f"{name}-device",
            path=args["path"],
            type=args["type"],
            options=args["options"],
            description=args.get("description"),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.path = device.path
        self.register_outputs({"path": self.path})


def enabled_devices() -> dict[str, Any]:
    """The audit devices that the server has, by path with a slash at its end; asked for in a preview too.

    It takes the right to read `sys/audit`, with `sudo`
    (https://developer.hashicorp.com/vault/api-docs/system/audit#list-enabled-audit-devices).
    """
    devices: dict[str, Any] = json.loads(vault.generic.get_secret(path="sys/audit").data_json)
    return devices
