"""STS's calls that give out sessions, in the place of moto's, which give examples."""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator
from moto.sts.exceptions import STSClientError, STSValidationError

from documents.evaluation import Document
from tools.local_aws.environment import ACCOUNT
from tools.local_aws.identities import find_role_by_arn, iam, managed_document
from tools.local_aws.sessions import SESSIONS, Session, utcnow

MINUTES_15 = 900
HOUR = 3_600
HOURS_12 = 43_200
HOURS_36 = 129_600
POLICY_CHARACTERS = 2_048
POLICY_ARNS = 10


def assume_role(responder: Any) -> ActionResult:  # noqa: ANN401 - moto's response class
    """AssumeRole (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html)."""
    name = responder._get_param("RoleSessionName")
    _check_name("roleSessionName", name, 64)
    role = find_role_by_arn(responder._get_param("RoleArn"))
    if role is None:  # the door has refused it already
        raise STSClientError("AccessDenied", "the role does not exist")
    chained = responder.caller.kind == "AssumedRole"
    longest = HOUR if chained else int(role.max_session_duration or HOUR)
    session = SESSIONS.add(
        Session(
            kind="AssumedRole",
            parent=role.arn,
            parent_id=role.id,
            name=name,
            duration=_duration(responder, HOUR, longest),
            policies=_session_policies(responder),
            tags=_tags(responder),
            mfa=_mfa(responder),
        )
    )
    user = {"AssumedRoleId": session.user_id, "Arn": session.arn}
    return ActionResult({"Credentials": _credentials(session), "AssumedRoleUser": user, "PackedPolicySize": 6})


def get_federation_token(responder: Any) -> ActionResult:  # noqa: ANN401 - moto's response class
    """GetFederationToken (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html).

    Without a session policy the session may do nothing.
    """
    name = responder._get_param("Name")
    _check_name("name", name, 32)
    session = SESSIONS.add(
        Session(
            kind="FederatedUser",
            parent=responder.caller.user_name,
            parent_id=responder.caller.user_id,
            name=name,
            duration=_duration(responder, HOURS_12, HOURS_36),
            policies=_session_policies(responder) or (),
            tags=_tags(responder),
        )
    )
    user = {"FederatedUserId": session.user_id, "Arn": session.arn}
    return ActionResult({"Credentials": _credentials(session), "FederatedUser": user, "PackedPolicySize": 6})


def get_session_token(responder: Any) -> ActionResult:  # noqa: ANN401 - moto's response class
    """GetSessionToken (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html)."""
    session = SESSIONS.add(
        Session(
            kind="Session",
            parent=responder.caller.user_name,
            parent_id=responder.caller.user_id,
            name="",
            duration=_duration(responder, HOURS_12, HOURS_36),
            mfa=_mfa(responder),
        )
    )
    return ActionResult({"Credentials": _credentials(session)})


def get_caller_identity(responder: Any) -> ActionResult:  # noqa: ANN401 - moto's response class
    """GetCallerIdentity: the principal that the door has found."""
    caller = responder.caller
    return ActionResult({"UserId": caller.user_id, "Account": ACCOUNT, "Arn": caller.arn})


def _credentials(session: Session) -> Mapping[str, Any]:
    return {
        "AccessKeyId": session.key_id,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": session.expiration,
    }


def _duration(responder: Any, default: int, longest: int) -> timedelta:  # noqa: ANN401 - moto's response class
    seconds = responder._get_int_param("DurationSeconds", default)
    if not MINUTES_15 <= seconds <= longest:
        raise STSValidationError(
            f"The requested DurationSeconds {seconds} is not between {MINUTES_15} and {longest}, the longest allowed."
        )
    return timedelta(seconds=seconds)


def _check_name(field: str, name: str | None, longest: int) -> None:
    if not re.fullmatch(rf"[\w+=,.@-]{{2,{longest}}}", name or "", re.ASCII):
        raise STSValidationError(
            f"1 validation error detected: Value '{name}' at '{field}' failed to satisfy constraint: "
            f"Member must have 2 to {longest} characters of [\\w+=,.@-]"
        )


def _session_policies(responder: Any) -> tuple[Document, ...] | None:  # noqa: ANN401 - moto's response class
    inline = responder._get_param("Policy")
    arns = [entry["arn"] for entry in responder._get_param("PolicyArns") or []]
    if len(inline or "") + sum(map(len, arns)) > POLICY_CHARACTERS or len(arns) > POLICY_ARNS:
        raise STSClientError(
            "PackedPolicyTooLarge",
            f"Session policies have more than {POLICY_CHARACTERS} characters or {POLICY_ARNS} ARNs",
        )
    if missing := [arn for arn in arns if arn not in iam().managed_policies]:
        raise STSClientError("MalformedPolicyDocument", f"The policy {missing[0]} does not exist")
    documents = [managed_document(arn) for arn in arns]
    if inline:
        try:
            IAMPolicyDocumentValidator(inline).validate()
        except MalformedPolicyDocument as error:
            raise STSClientError("MalformedPolicyDocument", error.message) from None
        documents.append(json.loads(inline))
    return tuple(documents) or None


def _mfa(responder: Any) -> bool:  # noqa: ANN401 - moto's response class
    """Whether the call comes with the right code of a virtual MFA device of the caller."""
    serial, code = responder._get_param("SerialNumber"), responder._get_param("TokenCode")
    if not serial and not code:
        return False
    device = iam().virtual_mfa_devices.get(serial)
    if device is None or device.user is None or device.user.name != responder.caller.user_name:
        raise STSClientError("AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.")
    step = int(utcnow().timestamp()) // 30
    if code not in {_one_time_code(device.base32_string_seed, step + drift) for drift in (-1, 0, 1)}:
        raise STSClientError("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")
    return True


def _one_time_code(seed: str, step: int) -> str:
    """The six digits of RFC 6238 for a step of 30 seconds."""
    digest = hmac.new(base64.b32decode(seed), step.to_bytes(8, "big"), "sha1").digest()
    at = digest[-1] & 0xF
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def _tags(responder: Any) -> dict[str, str]:  # noqa: ANN401 - moto's response class
    return {tag["Key"]: tag.get("Value", "") for tag in responder._get_param("Tags") or []}
