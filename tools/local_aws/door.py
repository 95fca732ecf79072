"""The one door through which every request of every service goes: who asks, and may they.

moto calls it at the start of each action, before the action does anything.
"""

from datetime import UTC, datetime
from typing import Any

from documents.evaluation import Decision, Document, Grant, PolicyError, Request, evaluate, trusts
from tools.local_aws.environment import ACCOUNT
from tools.local_aws.identities import Caller, boundary_document, find_user, iam, policy_documents, tags_of
from tools.local_aws.refusals import RefusalError
from tools.local_aws.s3 import s3_needs
from tools.local_aws.sessions import SESSIONS
from tools.local_aws.signature import Signature
from tools.local_aws.targets import OWN_USER, Need, iam_needs, other_needs, sts_needs

SERVICES = {
    "iam",
    "sts",
    "s3",
    "ec2",
    "dynamodb",
    "events",
    "sns",
    "sqs",
    "kms",
    "logs",
    "ssm",
    "secretsmanager",
    "cloudwatch",
}
"""The services that are served: by moto's name, which is also the prefix of their actions."""

BODY = "local_aws.body"
"""Where the server keeps the body of a request as it was sent, in its WSGI environment."""

_ALWAYS_ALLOWED = {"sts:GetCallerIdentity"}  # even under an explicit denial: AWS documents it so
_EVERYTHING: Document = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - a message


def pass_through(responder: Any, s3_resource: str) -> None:  # noqa: ANN401 - moto's response class
    """Lets a request in, or raises what moto answers in its place.

    Args:
        responder: moto's handler of the request, its parameters read.
        s3_resource: The ARN of the bucket or object, of which S3 alone makes use.

    Raises:
        Exception: A refusal in the form of the service's protocol.
    """
    service = responder.service_name
    try:
        caller = authenticate(responder)
        responder.caller = caller
        action = str(responder._get_action())
        if service == "iam":
            _name_own_user(responder, caller, action)
        _check_session(caller, service, action)
        if f"{service}:{action}" in _ALWAYS_ALLOWED:
            return
        for need in _needs(responder, caller, s3_resource):
            authorise(caller, need, responder)
    except RefusalError as refusal:
        is_json = "json" in (responder.headers.get("Content-Type") or "")
        raise refusal.answer(service, is_json=is_json) from None


def authenticate(responder: Any) -> Caller:  # noqa: ANN401 - moto's response class
    """Finds who signed a request.

    Raises:
        RefusalError: The signature is missing, wrong, or of a key that does not hold any more.
    """
    headers, environ = responder.headers, responder.normalized_request.environ
    signature = Signature.of(headers)
    caller = _caller(signature.key_id)
    if caller.token != headers.get("X-Amz-Security-Token"):
        raise RefusalError("InvalidClientTokenId", _INVALID_TOKEN)
    signature.check(
        caller.secret,
        method=responder.method,
        target=environ["REQUEST_URI"],
        body=environ[BODY],
        headers=headers,
    )
    return caller


def authorise(caller: Caller, need: Need, responder: Any) -> None:  # noqa: ANN401 - moto's response class
    """Evaluates one need of a request.

    Raises:
        RefusalError: The policies deny it or do not allow it.
    """
    request = Request(need.action, need.resource, {**_context(caller, responder), **need.context})
    try:
        decision = evaluate(request, identity=caller.identity, boundary=caller.boundary, session=caller.session)
        if need.resource_policy is not None and decision is not Decision.DENIED:
            decision = _with_resource_policy(decision, caller, request, need)
    except PolicyError as error:
        raise RefusalError(
            "AccessDenied", f"User: {caller.arn} has a policy that cannot be evaluated: {error}"
        ) from None
    if decision is not Decision.ALLOWED:
        raise RefusalError(
            "AccessDenied",
            f"User: {caller.arn} is not authorized to perform: {need.action} on resource: {need.resource} "
            + _reason(decision, caller, request),
        )


def _reason(decision: Decision, caller: Caller, request: Request) -> str:
    """Why, in AWS's words: the first kind of policy without which the request would not be refused."""
    if decision is Decision.DENIED:
        return "with an explicit deny"
    kind = "resource-based policy"
    if evaluate(request, identity=caller.identity) is not Decision.ALLOWED:
        kind = "identity-based policy"
    elif evaluate(request, identity=caller.identity, boundary=caller.boundary) is not Decision.ALLOWED:
        kind = "permissions boundary"
    elif evaluate(request, identity=caller.identity, session=caller.session) is not Decision.ALLOWED:
        kind = "session policy"
    return f"because no {kind} allows the {request.action} action"


def _with_resource_policy(decision: Decision, caller: Caller, request: Request, need: Need) -> Decision:
    policy = need.resource_policy or {}
    own = trusts(policy, request, caller.arn)
    of_role = trusts(policy, request, caller.role_arn) if caller.role_arn else Grant.NONE
    if Grant.DENIED in (own, of_role):
        return Decision.DENIED
    if own is Grant.PRINCIPAL:
        return Decision.ALLOWED
    if of_role is Grant.PRINCIPAL:
        # A grant to a role stands in for its identity policies, not for its boundary or the session's policies.
        return evaluate(request, identity=[_EVERYTHING], boundary=caller.boundary, session=caller.session)
    trusted = Grant.ACCOUNT in (own, of_role) or not need.only_if_trusted
    return decision if trusted else Decision.NOT_ALLOWED


def _caller(key_id: str) -> Caller:
    if session := SESSIONS.get(key_id):
        return session.caller()
    key = iam().access_keys.get(key_id)
    user = find_user(key.user_name) if key and key.user_name else None
    if key is None or user is None or key.status != "Active":
        raise RefusalError("InvalidClientTokenId", _INVALID_TOKEN)
    return Caller(
        arn=user.arn,
        user_id=user.id,
        secret=key.secret_access_key,
        user_name=user.name,
        identity=policy_documents(user),
        boundary=boundary_document(user),
        context={f"aws:PrincipalTag/{name}": value for name, value in tags_of(user).items()},
    )


def _check_session(caller: Caller, service: str, action: str) -> None:
    """Refuses what AWS refuses to sessions as such.

    See the table of https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html.
    """
    if caller.kind in ("FederatedUser", "Session"):
        mfa = caller.context.get("aws:MultiFactorAuthPresent") == "true"
        sts = {"GetCallerIdentity"} | ({"AssumeRole"} if caller.kind == "Session" else set())
        barred = (service == "iam" and not mfa) or (service == "sts" and action not in sts)
    else:
        barred = caller.kind != "User" and service == "sts" and action in ("GetFederationToken", "GetSessionToken")
    if barred:
        raise RefusalError("AccessDenied", f"Cannot call {action} with session credentials of {caller.arn}")


def _name_own_user(responder: Any, caller: Caller, action: str) -> None:  # noqa: ANN401 - moto's response class
    if action not in OWN_USER or responder._get_param("UserName"):
        return
    if caller.user_name is None:
        raise RefusalError("ValidationError", "Must specify userName when calling with non-User credentials", 400)
    responder.params["UserName"] = caller.user_name


def _needs(responder: Any, caller: Caller, s3_resource: str) -> list[Need]:  # noqa: ANN401 - moto's response class
    service, action, param = responder.service_name, str(responder._get_action()), responder._get_param
    if service == "iam":
        return list(iam_needs(action, param))
    if service == "sts":
        # AWS has no permission for GetSessionToken: it serves to prove who one is.
        return [] if action == "GetSessionToken" else list(sts_needs(action, param, caller.arn))
    if service == "s3":
        return list(s3_needs(responder, action, s3_resource))
    return list(other_needs(service, action, param, responder.region))


def _context(caller: Caller, responder: Any) -> dict[str, str]:  # noqa: ANN401 - moto's response class
    now = datetime.now(UTC)
    context = {
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalArn": caller.role_arn or caller.arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "User" if caller.kind == "Session" else caller.kind,
        "aws:RequestedRegion": responder.region,
        "aws:SecureTransport": "true",  # the loopback stands for AWS's endpoints, which take TLS alone
        "aws:SourceIp": responder.normalized_request.environ["REMOTE_ADDR"],
        "aws:userid": caller.user_id,
        "aws:ViaAWSService": "false",
        **caller.context,
    }
    if agent := responder.headers.get("User-Agent"):
        context["aws:UserAgent"] = agent
    if caller.user_name:
        context["aws:username"] = caller.user_name
    return context
