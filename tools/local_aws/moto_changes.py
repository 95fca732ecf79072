"""Where the embedded AWS departs from moto, each place by name, and nowhere else.

| what moto does                                            | what is made of it                                    |
|-----------------------------------------------------------|-------------------------------------------------------|
| checks actions against Resource `*`, without conditions,  | every call is signed, and AWS's documented evaluation |
| boundaries or session policies, after some free calls     | allows it, with its ARN and context (`door`)          |
| gives an example key for federation and session tokens;   | real sessions of their own, which expire (`sts`,      |
| assumes any role, also one that does not exist            | `sessions`)                                           |
| answers GetCallerIdentity for unknown keys too            | names the principal that signed                       |
| knows one action for an S3 request, by a table with gaps  | all actions of the request, by a whole table (`s3`)   |
| reads a bucket's policy without its principals            | the same evaluation as for a role's trust policy      |
| has no permissions boundary for users                     | kept, shown, enforced (`records`)                     |
| deletes users with keys, groups, devices or a password,   | DeleteConflict                                        |
| groups with members, policies in use                      |                                                       |
| knows no quotas on inline policies, attachments, groups   | LimitExceeded                                         |
| leaves a renamed user's keys and tags behind              | they go with it                                       |
| looks through all users for an access key                 | looks it up                                           |
| refuses sts:TagSession in an updated trust policy         | takes it, as AWS does                                 |
"""

from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import PermissionResult
from moto.iam.models import IAMBackend, User
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator
from moto.iam.responses import IamResponse
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.sts.responses import TokenResponse

from tools.local_aws import door, records, s3, sts
from tools.local_aws.environment import wrong_moto

_RECORDS = (
    "add_user_to_group",
    "attach_user_policy",
    "delete_group",
    "delete_policy",
    "delete_user",
    "get_access_key_last_used",
    "get_user_from_access_key_id",
    "put_user_policy",
    "update_user",
)
_STS = ("assume_role", "get_caller_identity", "get_federation_token", "get_session_token")
_NEW = ("delete_user_permissions_boundary", "put_user_permissions_boundary")


def apply() -> None:
    """Changes moto in this process.

    Raises:
        ToolError: moto has not the shape that these changes need.
    """
    _replace(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", _enter)
    for name in _STS:
        _replace(TokenResponse, name, getattr(sts, name))
    _replace(S3Response, "_set_action", s3.set_action)
    _replace(FakeBucket, "get_permission", _left_to_the_door)
    for name in _RECORDS:
        _replace(IAMBackend, name, getattr(records, name))
    _replace(IamResponse, "create_user", records.create_user)
    for name in _NEW:
        _add(IamResponse, name, getattr(records, name))
    _add(User, "permissions_boundary", property(records.permissions_boundary))
    _replace(IAMTrustPolicyDocumentValidator, "_validate_trust_policy_action", staticmethod(_trust_policy_action))


def _enter(responder: Any, _request_class: type, resource: str = "*") -> None:  # noqa: ANN401 - moto's response class
    door.pass_through(responder, resource)


def _left_to_the_door(_bucket: FakeBucket, _action: str, _resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL


_checked_action = getattr(IAMTrustPolicyDocumentValidator, "_validate_trust_policy_action", None)


def _trust_policy_action(action: str) -> None:
    if action != "sts:TagSession" and _checked_action:
        _checked_action(action)


def _replace(owner: type, name: str, new: object) -> None:
    if name not in vars(owner):
        raise wrong_moto(f"moto's {owner.__name__} has no {name}")
    setattr(owner, name, new)


def _add(owner: type, name: str, new: object) -> None:
    if hasattr(owner, name):
        raise wrong_moto(f"moto's {owner.__name__} already has {name}")
    setattr(owner, name, new)
