"""Settings of Vault's audit devices: where every request and response is written.

Sources: https://developer.hashicorp.com/vault/docs/audit and the pages of its device types.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from settings.durations import Duration, format_duration
from settings.faults import Fault, FaultsError
from settings.plain import shown
from settings.types import Model, matches, rule_broken

LOCAL = "local"
"""The environment of the embedded servers, of which less is asked."""


def _never_raw(value: bool) -> bool:
    if value:
        raise rule_broken(
            "would write every token and secret key into the log in clear text; remove it: `make audit` finds "
            "what it looks for by Vault's own hashes"
        )
    return value


DevicePath = Annotated[
    str, matches(r"[\w-]{1,64}", "cannot be an audit device's path; write letters, digits, _ and - only")
]


class _Device(Model):
    vault_options: ClassVar[tuple[str, ...]] = ()
    managed: bool = True
    """Whether the stack creates it. `false` where Vault's operators do: the stack then checks that it is there."""
    description: str = ""
    """What `vault audit list` shows."""
    elide_list_responses: bool = False
    """Whether the keys that a list request returns are left out of the log."""
    log_raw: Annotated[bool, AfterValidator(_never_raw)] = False
    """Must stay false: secrets are in the log as HMACs alone."""

    def options(self) -> dict[str, str]:
        """Its options as Vault's API takes them."""
        values = {name: getattr(self, name) for name in self.vault_options}
        if self.elide_list_responses:
            values["elide_list_responses"] = "true"
        return {name: value for name, value in values.items() if value is not None}

    def target(self) -> str:
        """Where it writes to."""
        raise NotImplementedError


class FileDevice(_Device):
    """A device that appends to a file; the server opens it anew on SIGHUP, for rotation."""

    vault_options = ("file_path", "mode")
    type: Literal["file"]
    """A file on each server."""
    file_path: Annotated[
        str,
        matches(r"stdout|(?!discard$)[\x21-\x7e]+", "cannot be an audit log; write the path of a file, or stdout"),
    ]
    """The file's absolute path on the server, or `stdout`. A relative one, for `local` alone, is of the server's
    own folder."""
    mode: Annotated[str, matches(r"0[0-6]{3}", "is not a file mode; write octal digits such as '0600'")] | None = None
    """The file's mode; Vault's default is 0600."""

    def target(self) -> str:
        """The file."""
        return self.file_path


class SocketDevice(_Device):
    """A device that writes to a socket."""

    vault_options = ("address", "socket_type")
    type: Literal["socket"]
    """A TCP, UDP or Unix socket."""
    address: Annotated[
        str, matches(r"/[\x21-\x7e]+|[\w.\-\[\]:]+:\d{1,5}", "is not an address; write host:port, or a socket's path")
    ]
    """Where it listens: `host:port`, or a Unix socket's path."""
    socket_type: Literal["tcp", "udp", "unix"] = "tcp"
    """`tcp`, `udp` or `unix`. UDP loses records without a word."""
    write_timeout: Duration = 2
    """How long a write may take before it has failed."""

    def options(self) -> dict[str, str]:
        """Its options as Vault's API takes them."""
        return super().options() | {"write_timeout": format_duration(self.write_timeout)}

    def target(self) -> str:
        """The address."""
        return self.address


class SyslogDevice(_Device):
    """A device that writes to the syslog daemon of each server."""

    vault_options = ("facility", "tag")
    type: Literal["syslog"]
    """The syslog daemon."""
    facility: Annotated[str, matches(r"[A-Z]+[0-7]?", "is not a syslog facility; write AUTH or LOCAL0, say")] = "AUTH"
    """The facility."""
    tag: Annotated[str, matches(r"[\w.-]{1,32}", "cannot be a syslog tag; write letters, digits, ., _ and -")] = "vault"
    """The program's name in each line."""

    def target(self) -> str:
        """The facility and tag."""
        return f"{self.facility} as {self.tag}"


DEVICE_TYPES: dict[str, type[_Device]] = {"file": FileDevice, "socket": SocketDevice, "syslog": SyslogDevice}
Device = Annotated[FileDevice | SocketDevice | SyslogDevice, Field(discriminator="type")]


class Audit(Model):
    """Where Vault's audit log goes."""

    devices: dict[DevicePath, Device] = {}
    """The audit devices, by path."""

    @property
    def relies_on_others(self) -> bool:
        """Whether some device is made outside the stack."""
        return not all(device.managed for device in self.devices.values())


def audit_faults(audit: Audit, environment: str) -> Iterator[tuple[str, str]]:
    """The rules that take more than one field, as (field, message)."""
    if len(audit.devices) == 1 and environment != LOCAL:
        [path] = audit.devices
        yield (
            "audit.devices",
            f"{shown(path)} is the only one, and Vault answers nobody while its only audit device cannot write; "
            "declare a second on another disk or host (with `managed: false`, if others made it)",
        )
    targets: dict[tuple[str, str], str] = {}
    for path, device in audit.devices.items():
        place = f"audit.devices.{path}"
        target = device.type, device.target()
        if target in targets:
            yield (
                place,
                f"writes to {shown(target[1])} like {shown(targets[target])}, so that what stops one stops both; give "
                "it another",
            )
        targets.setdefault(target, path)
        if isinstance(device, FileDevice) and environment != LOCAL and not device.file_path.startswith(("/", "stdout")):
            yield (
                f"{place}.filePath",
                f"{shown(device.file_path)} would lie wherever the server was started; write the path in full",
            )


def require_devices(audit: Audit, found: Mapping[str, Any], where: str) -> None:
    """Checks that the devices which others make are as the settings say.

    Args:
        audit: The settings.
        found: What the server answers at `sys/audit`: devices by path, with a slash at its end.
        where: The file to name in faults.

    Raises:
        FaultsError: A device is not there, is of another type, or writes secrets in clear text.
    """
    faults = []
    for path, device in audit.devices.items():
        there = found.get(f"{path}/")
        if device.managed:
            continue
        if there is None:
            message = (
                f"Vault has no audit device {shown(path)}, and `managed: false` says that its operators make it; "
                f"{_how_to_declare(path, device)}; or remove `managed: false`, and the stack makes it"
            )
        elif there["type"] != device.type:
            message = f"is of type {device.type} here and of type {there['type']} in Vault; change one of them"
        elif (there.get("options") or {}).get("log_raw") == "true":
            message = "writes tokens and secret keys in clear text (log_raw); have its operators make it again without"
        else:
            continue
        faults.append(Fault(where, f"audit.devices.{path}", message))
    if faults:
        raise FaultsError(faults)


def _how_to_declare(path: str, device: Device) -> str:
    options = device.options().items()
    words = shlex.join(f"{name}={value}" for name, value in options)
    # In HCL two signs begin a template.
    lines = ", ".join(
        f"{name} = {json.dumps(value).replace('${', '$${').replace('%{', '%%{')}" for name, value in options
    )
    return (
        f"on Vault: `vault audit enable -path={path} {device.type} {words}`; on OpenBao, in the server's "
        f'configuration: `audit "{device.type}" "{path}" {{ options = {{ {lines} }} }}`, then SIGHUP'
    )
