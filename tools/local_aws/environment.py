"""What must stand before moto is imported: the account, moto's settings and its version."""

import os
from importlib.metadata import PackageNotFoundError, version

from tools.errors import ToolError

ACCOUNT = "123456789012"
PARTITION = "aws"
MOTO_VERSION = "5.2.5"
"""The version whose insides `moto_changes` knows."""

_SETTINGS = {
    # moto would otherwise take the account that a caller names in a header.
    "MOTO_ACCOUNT_ID": ACCOUNT,
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    # No web page has business here.
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    # A bucket is named by the path alone, never by a host name that the caller chooses.
    "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
}


def wrong_moto(fault: str) -> ToolError:
    """The error for a moto that is not the one these changes are made for."""
    wanted = f"moto[server]=={MOTO_VERSION}"
    return ToolError(f"{fault}; the embedded AWS is made for {wanted}: install it with `pip install '{wanted}'`")


def prepare() -> None:
    """Sets moto's environment variables for this process.

    Raises:
        ToolError: moto is not installed, or in another version.
    """
    try:
        installed = version("moto")
    except PackageNotFoundError:
        raise wrong_moto("moto is not installed") from None
    if installed != MOTO_VERSION:
        raise wrong_moto(f"moto {installed} is installed")
    os.environ.update(_SETTINGS)
