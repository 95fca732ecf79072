"""How AWS says no: the error codes of authentication and authorisation, in the form each protocol takes."""

import json
from xml.sax.saxutils import escape

from moto.s3.exceptions import S3ClientError
from werkzeug.exceptions import HTTPException

FORBIDDEN = 403

_QUERY = "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"
_EC2 = "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors></Response>"
# The codes for which S3 and EC2 have words of their own.
_IN_S3 = {
    "InvalidClientTokenId": "InvalidAccessKeyId",
    "ExpiredTokenException": "ExpiredToken",
    "MissingAuthenticationToken": "AccessDenied",
    "IncompleteSignature": "AuthorizationHeaderMalformed",
}
_IN_EC2 = {"InvalidClientTokenId": "AuthFailure", "AccessDenied": "UnauthorizedOperation"}
_IN_JSON = {"InvalidClientTokenId": "UnrecognizedClientException", "AccessDenied": "AccessDeniedException"}


class RefusalError(Exception):
    """AWS refuses a request.

    Attributes:
        code: The error code as IAM and STS say it.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = FORBIDDEN) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def answer(self, service: str, *, is_json: bool) -> Exception:
        """The exception that moto turns into the answer of that service."""
        if service == "s3":
            return S3RefusalError(_IN_S3.get(self.code, self.code), self.message)
        if is_json:
            code = _IN_JSON.get(self.code, self.code)
            return _HttpRefusalError(json.dumps({"__type": code, "message": self.message}), self.status)
        code, form = (_IN_EC2.get(self.code, self.code), _EC2) if service == "ec2" else (self.code, _QUERY)
        return _HttpRefusalError(form.format(code, escape(self.message)), self.status)


class S3RefusalError(S3ClientError):
    """A refusal that moto serialises as S3 does."""

    status = FORBIDDEN


class _HttpRefusalError(HTTPException):
    def __init__(self, body: str, status: int) -> None:
        super().__init__(body)
        self.code = status
