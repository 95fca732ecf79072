"""Those who vouch for callers in the tests: an issuer of JWTs, and a cluster that reviews its pods' tokens."""

import base64
import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tools.processes import LOOPBACK


@dataclass(frozen=True)
class Issuer:
    """Signs JWTs with a key of its own."""

    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    name: str = "https://issuer.example"

    @property
    def public_key(self) -> str:
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()

    def token(self, **claims: Any) -> str:
        """A JWT that is good for ten minutes, with these claims over the usual ones."""
        now = int(time.time())
        usual = {"iss": self.name, "iat": now - 5, "nbf": now - 5, "exp": now + 600}
        text = f"{_encoded({'alg': 'RS256', 'typ': 'JWT'})}.{_encoded({**usual, **claims})}"
        return f"{text}.{_base64(self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@dataclass
class Cluster:
    """A Kubernetes API with the one call that Vault makes: the review of a service account's token."""

    folder: Path
    issuer: Issuer = field(default_factory=Issuer)
    pods: dict[str, str] = field(default_factory=dict)
    url: str = ""
    ca: str = ""

    def pod(self, namespace: str, service_account: str, audience: str = "vault") -> str:
        """The token of a pod that runs as a service account."""
        subject = f"system:serviceaccount:{namespace}:{service_account}"
        account = {"namespace": namespace, "serviceaccount": {"name": service_account, "uid": f"uid-{service_account}"}}
        token = self.issuer.token(sub=subject, aud=[audience], **{"kubernetes.io": account})
        self.pods[token] = subject
        return token

    def review(self, token: str) -> dict[str, Any]:
        """What the API answers to a TokenReview."""
        if token not in self.pods:
            return {"status": {"authenticated": False, "error": "invalid bearer token"}}
        subject = self.pods[token]
        user = {"username": subject, "uid": f"uid-{subject.rsplit(':', 1)[1]}", "groups": ["system:serviceaccounts"]}
        return {"status": {"authenticated": True, "user": user, "audiences": ["vault"]}}

    @contextmanager
    def running(self) -> Iterator["Cluster"]:
        """The API on a free port of loopback, with a certificate of its own."""
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                token = asked["spec"]["token"]
                # Without a token of its own, Vault asks with the caller's.
                allowed = self.headers["Authorization"] == f"Bearer {token}"
                body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", **cluster.review(token)}
                answer = json.dumps(body).encode()
                self.send_response(201 if allowed and self.path.endswith("/tokenreviews") else 403)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = HTTPServer((LOOPBACK, 0), Handler)
        server.socket = self._tls().wrap_socket(server.socket, server_side=True)
        self.url = f"https://{LOOPBACK}:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def _tls(self) -> ssl.SSLContext:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster")])
        today = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.issuer.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.issuer.key, hashes.SHA256())
        )
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        self.ca = certificate.public_bytes(pem).decode()
        key = self.issuer.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode()
        both = self.folder / "cluster.pem"
        both.write_text(key + self.ca)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context


def _encoded(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
