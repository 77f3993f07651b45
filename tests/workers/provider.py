"""Somebody else's provider of SMS behind real sockets, which writes down what it gets and answers as it is told."""

from __future__ import annotations

import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def facts(self) -> Any:
        return json.loads(self.body)


class FakeProvider:
    """Answers every POST with `status` and `answer`, or misbehaves: "cut" without an answer, "slow", "drip" for ever, "nonsense"."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.got: list[Got] = []
        self.status, self.answer, self.behaviour = 200, b'{"reference": "ref-1"}', ""
        self.further_headers: dict[str, str] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                provider.got.append(Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                provider.reply(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                pass  # clients hang up on it

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self._scheme = "https" if certificate else "http"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server.server_port}"

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        """Behave as told."""
        match self.behaviour:
            case "cut":
                return
            case "slow":
                time.sleep(1)
            case "nonsense":
                handler.wfile.write(b"220 this is no HTTP\r\n\r\n")
                return
            case "drip":
                handler.send_response(200)
                handler.end_headers()
                for _ in range(20):
                    time.sleep(0.1)
                    handler.wfile.write(b" ")
                return
        handler.send_response(self.status)
        for name, value in ({"Content-Length": str(len(self.answer))} | self.further_headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(self.answer)

    def says(self, answer: Any, status: int = 200) -> None:
        """From now on answer so."""
        self.status, self.answer = status, json.dumps(answer).encode()


@contextmanager
def fake_provider(certificate: Path | None = None) -> Iterator[FakeProvider]:
    """A provider for the length of a block."""
    provider = FakeProvider(certificate)
    try:
        yield provider
    finally:
        provider.server.shutdown()
        provider.server.server_close()


def own_certificate(directory: Path) -> tuple[Path, str]:
    """A file with key and certificate for 127.0.0.1, and the certificate alone in PEM: who trusts it trusts this server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider of tests")])
    now = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now.replace(year=2120))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = directory / "provider.pem"
    file.write_bytes(secret + pem)
    return file, pem.decode()
