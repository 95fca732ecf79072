"""What a call of S3 must be allowed.

moto names one action for each request, and takes requests that it does not know for CreateBucket, ListBucket or
DeleteBucket. Here each subresource of the query has its own action, and all of them must be allowed
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import xmltodict  # type: ignore[import-untyped]  # it has no stubs
from moto.s3.models import s3_backends
from moto.s3.responses import ACTION_MAP

from documents.evaluation import Document
from tools.local_aws.environment import ACCOUNT, PARTITION
from tools.local_aws.identities import parsed
from tools.local_aws.targets import Need

_CONFIGURATIONS = {
    "encryption": "EncryptionConfiguration",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "ownershipControls": "BucketOwnershipControls",
    "replication": "ReplicationConfiguration",
    "object-lock": "BucketObjectLockConfiguration",
    "inventory": "InventoryConfiguration",
    "intelligent-tiering": "IntelligentTieringConfiguration",
}
_KEPT_BY_OBJECT = {"legal-hold": "ObjectLegalHold", "retention": "ObjectRetention", "tagging": "ObjectTagging"}


def _completed() -> dict[str, dict[str, dict[str, str]]]:
    table = {kind: {method: dict(names) for method, names in methods.items()} for kind, methods in ACTION_MAP.items()}
    bucket, key = table["BUCKET"], table["KEY"]
    bucket["HEAD"]["DEFAULT"] = "ListBucket"
    for subresource, noun in _CONFIGURATIONS.items():
        bucket["GET"][subresource] = f"Get{noun}"
        bucket["PUT"][subresource] = bucket["DELETE"][subresource] = f"Put{noun}"
    for subresource, noun in _KEPT_BY_OBJECT.items():
        key["GET"][subresource], key["PUT"][subresource] = f"Get{noun}", f"Put{noun}"
    key["GET"]["attributes"] = "GetObjectAttributes"
    key["DELETE"]["tagging"] = "DeleteObjectTagging"
    key["HEAD"]["versionId"] = "GetObjectVersion"
    key["POST"]["select"] = "GetObject"
    return table


ACTIONS = _completed()


def set_action(responder: Any, kind: str, method: str, query: Mapping[str, Any]) -> None:  # noqa: ANN401 - moto's
    """Notes the actions of a request to a bucket or an object, in the place of moto's method of that name."""
    named = [action for subresource, action in ACTIONS[kind][method].items() if subresource in query]
    responder.s3_actions = named or [ACTIONS[kind][method].get("DEFAULT", "PutObject")]
    responder.data["Action"] = responder.s3_actions[-1]


def s3_needs(responder: Any, action: str, resource: str) -> Iterator[Need]:  # noqa: ANN401 - moto's response class
    """What a call of S3 must be allowed.

    Args:
        responder: moto's handler of the request.
        action: The action that moto names.
        resource: The ARN of the bucket or object.
    """
    headers, context = responder.headers, _context(responder)
    actions = list(getattr(responder, "s3_actions", [action]))
    if "PutObject" in actions:
        actions += ["PutObjectTagging"] if "x-amz-tagging" in headers else []
        actions += ["PutObjectAcl"] if "x-amz-acl" in headers else []
    for name in actions:
        if name == "DeleteObject" and "/" not in resource:
            for key in _keys_to_delete(responder.body):
                yield _need("DeleteObject", f"{resource}/{key}", context)
        else:
            yield _need(name, resource, context)
    if source := headers.get("x-amz-copy-source"):
        path, _, version = unquote(source).lstrip("/").partition("?versionId=")
        yield _need("GetObjectVersion" if version else "GetObject", f"arn:{PARTITION}:s3:::{path}", context)


def _need(action: str, resource: str, context: Mapping[str, str]) -> Need:
    return Need(f"s3:{action}", resource, context, resource_policy=_bucket_policy(resource))


def _bucket_policy(resource: str) -> Document | None:
    bucket = s3_backends[ACCOUNT][PARTITION].buckets.get(resource.rpartition(":")[2].partition("/")[0])
    return parsed(bucket.policy.decode()) if bucket and bucket.policy else None


def _keys_to_delete(body: bytes) -> list[str]:
    objects = xmltodict.parse(body, strip_whitespace=False)["Delete"].get("Object", [])
    return [entry["Key"] for entry in (objects if isinstance(objects, list) else [objects])]


def _context(responder: Any) -> dict[str, str]:  # noqa: ANN401 - moto's response class
    query = responder.normalized_request.args
    context = {f"s3:{name}": query[name] for name in ("prefix", "delimiter", "max-keys") if name in query}
    if "versionId" in query:
        context["s3:VersionId"] = query["versionId"]
    for name in ("x-amz-acl", "x-amz-server-side-encryption", "x-amz-copy-source", "x-amz-storage-class"):
        if name in responder.headers:
            context[f"s3:{name}"] = responder.headers[name]
    return context
