"""What no provider compares of Vault's IAM user: its keys beside the one that Vault holds, and what was put on it."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tools.drift.findings import NEW_USER, NONE, REFRESH_AND_UPDATE, ROTATE, TOO_OLD, Finding
from tools.drift.state import DeclaredEngine
from tools.errors import ToolError

_CLIENT = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})


def iam_client(region: str, engines: tuple[DeclaredEngine, ...]) -> Any:  # noqa: ANN401 - boto3 makes its clients
    """A client of IAM with the caller's credentials, which must be of the stack's account.

    Raises:
        ToolError: AWS does not take the credentials, or they are another account's.
    """
    try:
        account = boto3.client("sts", region_name=region, config=_CLIENT).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise ToolError(
            f"nothing was compared: AWS does not say whose credentials these are ({error}); check AWS_ACCESS_KEY_ID or "
            "AWS_PROFILE"
        ) from None
    for engine in engines:
        if (theirs := engine.user_arn.split(":")[4]) != account:
            raise ToolError(
                f"nothing was compared: these AWS credentials are of account {account}, and the stack stands in "
                f"{theirs}; take those of the stack's account"
            )
    return boto3.client("iam", region_name=region, config=_CLIENT)


def user_findings(
    iam: Any,  # noqa: ANN401 - boto3 makes its clients
    engine: DeclaredEngine,
    live: str | None,
    longest: timedelta,
) -> Iterator[Finding]:
    """Compares an engine's IAM user with the state, and the key that Vault holds with the user's.

    A user that is gone is left to the provider, who says so.

    Args:
        iam: A client of IAM.
        engine: The engine as the state has it.
        live: The id of the key that Vault holds.
        longest: How old a key that Vault makes itself may get.

    Raises:
        ToolError: AWS refuses to say.
    """
    user = {"UserName": engine.user_name}
    found = _ask(iam.list_access_keys, **user)
    if found is None:
        return
    keys = {key["AccessKeyId"]: key for key in found["AccessKeyMetadata"]}
    yield from _held_key(iam, engine, live, keys)
    yield from _keys(engine, live, keys, longest)
    yield from _attached(iam, engine)
    what, at = f"IAM user {engine.user_name}", engine.user_arn
    for name in (_ask(iam.list_user_policies, **user) or {"PolicyNames": []})["PolicyNames"]:
        undo = _command("delete-user-policy", "--user-name", engine.user_name, "--policy-name", name)
        yield Finding(what, "inline policy", at, NONE, name, mend=undo)
    for group in (_ask(iam.list_groups_for_user, **user) or {"Groups": []})["Groups"]:
        name = group["GroupName"]
        undo = _command("remove-user-from-group", "--user-name", engine.user_name, "--group-name", name)
        yield Finding(what, "group", at, NONE, group["Arn"], mend=undo)
    if (profile := _ask(iam.get_login_profile, **user)) is not None:
        made = f"a console password of {_day(profile['LoginProfile']['CreateDate'])}"
        undo = _command("delete-login-profile", "--user-name", engine.user_name)
        yield Finding(what, "login profile", at, NONE, made, mend=undo)


def _held_key(
    iam: Any,  # noqa: ANN401 - boto3 makes its clients
    engine: DeclaredEngine,
    live: str | None,
    keys: Mapping[str, Any],
) -> Iterator[Finding]:
    """Whether Vault holds the stack's key, or, where it rotates, one that its user has."""
    what, at = "root configuration", f"{engine.path}/config/root"
    if engine.vault_rotates:
        if live not in keys:
            declared = f"a key of {engine.user_name}, made by Vault"
            yield Finding(what, "access_key", at, declared, _whose(iam, live), mend=NEW_USER)
        elif live in engine.former_keys:
            yield Finding(what, "access_key", at, "a key that the state never held", f"{live}, the seed", mend=ROTATE)
    elif live not in engine.keys:
        yield Finding(what, "access_key", at, ", ".join(engine.keys) or NONE, _whose(iam, live), mend=ROTATE)


def _keys(engine: DeclaredEngine, live: str | None, keys: Mapping[str, Any], longest: timedelta) -> Iterator[Finding]:
    what, at = f"IAM user {engine.user_name}", engine.user_arn
    declared = {live} if engine.vault_rotates else set(engine.keys)
    for key, found in keys.items():
        made = f"{key}, {found['Status'].lower()}, of {_day(found['CreateDate'])}"
        if key not in declared:
            undo = _command("delete-access-key", "--user-name", engine.user_name, "--access-key-id", key)
            if key in engine.former_keys:
                made += ", which an interrupted update left"
                undo = REFRESH_AND_UPDATE
            yield Finding(what, "another access key", at, NONE, made, mend=undo)
        elif found["Status"] != "Active":
            undo = _command(
                "update-access-key", "--user-name", engine.user_name, "--access-key-id", key, "--status", "Active"
            )
            yield Finding(what, "status of its access key", at, "active", made, mend=undo)
        elif engine.vault_rotates and datetime.now(UTC) - found["CreateDate"] > longest:
            oldest = f"at most {longest / timedelta(days=1):g} days old"
            yield Finding(what, "age of its access key", at, oldest, made, TOO_OLD, ROTATE)
    for key in sorted(set(engine.keys) - set(keys)):
        yield Finding(what, "access key", at, key, NONE, mend=ROTATE)


def _attached(iam: Any, engine: DeclaredEngine) -> Iterator[Finding]:  # noqa: ANN401 - boto3 makes its clients
    answer = _ask(iam.list_attached_user_policies, UserName=engine.user_name) or {"AttachedPolicies": []}
    for policy in answer["AttachedPolicies"]:
        arn = policy["PolicyArn"]
        if arn not in engine.policies:
            undo = _command("detach-user-policy", "--user-name", engine.user_name, "--policy-arn", arn)
            yield Finding(f"IAM user {engine.user_name}", "attached policy", engine.user_arn, NONE, arn, mend=undo)


def _whose(iam: Any, key: str | None) -> str:  # noqa: ANN401 - boto3 makes its clients
    """A key's id with its owner."""
    if key is None:
        return NONE
    try:
        # In AWS it names the owner to whoever may ask for it at all; that right is not worth failing for.
        return f"{key} of {iam.get_access_key_last_used(AccessKeyId=key)['UserName']}"
    except (BotoCoreError, ClientError, KeyError):
        return f"{key} of nobody known here"


def _ask(call: Callable[..., dict[str, Any]], **words: str) -> dict[str, Any] | None:
    """What IAM answers; None if it knows no such thing."""
    try:
        return call(**words)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return None
        raise ToolError(f"nothing was compared: IAM does not say what {words['UserName']} has: {error}") from None
    except BotoCoreError as error:
        raise ToolError(f"nothing was compared: IAM cannot be asked: {error}") from None


def _command(*words: str) -> str:
    # Whoever added something chose its name, and somebody is to paste this into a shell.
    return shlex.join(["aws", "iam", *words])


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
