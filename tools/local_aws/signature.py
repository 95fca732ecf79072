"""AWS's Signature Version 4 as a server checks it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tools.local_aws.refusals import RefusalError

# In full: moto looks for a key's id anywhere in the header, so nothing may stand in it besides these.
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[A-Z0-9]{20})/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_BAD_REQUEST = 400


@dataclass(frozen=True)
class Signature:
    """The Authorization header of a request.

    Attributes:
        key_id: The access key that signed.
        region: The region that the request is for.
        service: The service that it is for.
        signed_headers: The names of the headers under the signature.
        value: The signature.
    """

    key_id: str
    region: str
    service: str
    signed_headers: frozenset[str]
    value: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Signature":
        """Reads the header.

        Raises:
            RefusalError: There is none, or it is not of this form.
        """
        text = headers.get("Authorization")
        if not text:
            raise RefusalError("MissingAuthenticationToken", "Request is missing Authentication Token")
        found = _AUTHORIZATION.fullmatch(text)
        if not found or not headers.get("X-Amz-Date", "").startswith(found["day"]):
            raise RefusalError(
                "IncompleteSignature", "The Authorization header is not a Signature Version 4", _BAD_REQUEST
            )
        names = frozenset(found["headers"].split(";"))
        return cls(found["key"], found["region"], found["service"], names, found["signature"])

    def check(self, secret: str, *, method: str, target: str, body: bytes, headers: Any) -> None:  # noqa: ANN401
        """Compares the signature with that of the secret.

        Args:
            secret: The secret of the key.
            method: The request's method.
            target: Its path with the query, as sent.
            body: Its body, as sent.
            headers: Its headers.

        Raises:
            RefusalError: They differ, or the body is another than the one that was signed.
        """
        said = headers.get("X-Amz-Content-SHA256", "")
        if re.fullmatch(r"[0-9a-f]{64}", said) and said != hashlib.sha256(body).hexdigest():
            raise RefusalError(
                "XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 is not the body's", _BAD_REQUEST
            )
        signed = {name: value for name, value in headers.items() if name.lower() in self.signed_headers}
        request = AWSRequest(method=method, url=target, data=body, headers=signed)
        request.context["timestamp"] = headers["X-Amz-Date"]
        auth_class = S3SigV4Auth if self.service == "s3" else SigV4Auth
        auth = auth_class(Credentials("", secret), self.service, self.region)
        text = auth.string_to_sign(request, auth.canonical_request(request))
        if not hmac.compare_digest(auth.signature(text, request), self.value):
            raise RefusalError(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method.",
            )
