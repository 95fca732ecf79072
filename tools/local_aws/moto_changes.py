"""Where the embedded AWS departs from moto, and nowhere else.

| moto                                                     | here                                                  |
|----------------------------------------------------------|-------------------------------------------------------|
| lets the first calls in unsigned; checks actions against | every call is signed, and allowed by the documented   |
| Resource `*`; no conditions, boundaries, session policies| evaluation with its own ARN and context (`door`)      |
| AssumeRole takes any role; federation and session tokens | real sessions that expire (`sts`, `sessions`)         |
| are printed examples                                     |                                                       |
| GetCallerIdentity looks the key up and guesses           | the principal that signed                             |
| users have no permissions boundary                       | kept, shown and enforced                              |
| deletes users that have keys, groups, a login profile or | DeleteConflict, as IAM says                           |
| devices, groups with members, and policies in use        |                                                       |
| searches all users for an access key                     | its own index of keys                                 |
| a renamed user loses its keys and tags                   | they go with it                                       |
"""

import os
from typing import Any

from tools.local_aws.identities import ACCOUNT

TESTED_VERSION = "5.2.5"
"""moto's version whose insides these changes were made for."""

# moto reads these when it is imported.
SETTINGS = {
    "MOTO_ACCOUNT_ID": ACCOUNT,  # a caller could name another account in a header
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
}


def apply() -> None:
    """Changes moto in this process.

    Raises:
        RuntimeError: The installed moto is not the one that the changes were made for.
    """
    os.environ.update(SETTINGS)
    import moto  # noqa: PLC0415 - its settings must stand first

    if moto.__version__ != TESTED_VERSION:
        raise RuntimeError(
            f"moto {moto.__version__} is installed, and the embedded AWS is made for {TESTED_VERSION}: "
            f"install moto[server]=={TESTED_VERSION}"
        )
    from moto.core.authorization import ActionAuthenticatorMixin  # noqa: PLC0415
    from moto.iam.models import IAMBackend, User  # noqa: PLC0415
    from moto.iam.responses import IamResponse  # noqa: PLC0415
    from moto.s3.models import FakeBucket  # noqa: PLC0415
    from moto.sts.responses import TokenResponse  # noqa: PLC0415

    from tools.local_aws import door, records, sts  # noqa: PLC0415

    def enter(responder: Any, _class: type, resource: str = "*") -> None:  # noqa: ANN401 - moto's response class
        door.pass_through(responder, resource)

    _replace(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", enter)
    for name in ("assume_role", "get_federation_token", "get_session_token", "get_caller_identity"):
        _replace(TokenResponse, name, getattr(sts, name))
    for name in ("delete_user", "delete_group", "delete_policy", "update_user", "get_access_key_last_used", "get_user_from_access_key_id"):
        _replace(IAMBackend, name, getattr(records, name))
    _replace(IamResponse, "create_user", records.create_user)
    _add(IamResponse, "put_user_permissions_boundary", records.put_user_permissions_boundary)
    _add(IamResponse, "delete_user_permissions_boundary", records.delete_user_permissions_boundary)
    _add(User, "permissions_boundary", property(records.permissions_boundary))
    _ = FakeBucket


def _replace(owner: type, name: str, new: Any) -> None:  # noqa: ANN401 - a function or property
    if name not in vars(owner):
        raise RuntimeError(f"moto's {owner.__name__} has no {name}: the embedded AWS is made for moto {TESTED_VERSION}")
    setattr(owner, name, new)


def _add(owner: type, name: str, new: Any) -> None:  # noqa: ANN401 - a function or property
    if hasattr(owner, name):
        raise RuntimeError(f"moto's {owner.__name__} has {name}: the embedded AWS is made for moto {TESTED_VERSION}")
    setattr(owner, name, new)
