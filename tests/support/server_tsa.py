"""A time-stamping authority of OpenSSL's making, served over HTTP on loopback."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from http_listening import listening

CONFIG = """
[ req ]
distinguished_name = name
[ name ]
[ tsa ]
default_tsa = one
[ one ]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
tsa_name = yes
[ authority ]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[ signer ]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[ server ]
basicConstraints = critical,CA:false
subjectAltName = DNS:localhost
extendedKeyUsage = serverAuth
"""
KEYS = {
    "ec": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "rsa": ("rsa:2048",),
}


def openssl(folder: Path, *words: object) -> bytes:
    """Run OpenSSL; fail unless it succeeds."""
    ran = subprocess.run(
        ["openssl", *map(str, words)], cwd=folder, capture_output=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


@dataclass(frozen=True, slots=True)
class Tsa:
    """An authority with its keys in a folder of its own."""

    folder: Path

    @property
    def root(self) -> Path:
        """Its root certificate."""
        return self.folder / "root.pem"

    @property
    def signer(self) -> Path:
        """The certificate that its tokens are signed with."""
        return self.folder / "signer.pem"

    @property
    def trust_file(self) -> Path:
        """All its certificates."""
        return self.folder / "all.pem"

    def reply(self, question: bytes, *, with_certificates: bool = False) -> bytes:
        """Answer a request as `openssl ts -reply` does."""
        (self.folder / "question").write_bytes(question)
        chain = ("-chain", "root.pem") if with_certificates else ()
        words = ("-config", "tsa.cnf", "-section", "one", "-queryfile", "question", *chain)
        keys = ("-signer", "signer.pem", "-inkey", "signer.key")
        openssl(self.folder, "ts", "-reply", *words, *keys, "-out", "answer")
        return (self.folder / "answer").read_bytes()


def new_tsa(
    folder: Path,
    *,
    kind: str = "ec",
    name: str = "Test",
    section: str = "signer",
    is_long: bool = False,
) -> Tsa:
    """Make an authority: a root, and the certificate of a signer for what the section says.

    Args:
        folder: A new one, for its keys and certificates.
        kind: Of the keys, one of `KEYS`.
        name: Begins the names in the certificates.
        section: Of `CONFIG`: what the signer may do.
        is_long: Another authority lies between root and signer.
    """
    folder.mkdir(parents=True)
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01")
    new = ("req", "-config", "tsa.cnf", "-nodes", "-newkey", *KEYS[kind])
    openssl(
        folder, *new, "-x509", "-days", 3650, "-extensions", "authority",
        "-subj", f"/CN={name} Root", "-keyout", "root.key", "-out", "root.pem",
    )  # fmt: skip
    steps = [("root", "middle", "authority"), ("middle", "signer", section)]
    for above, below, what in steps if is_long else [("root", "signer", section)]:
        files = ("-keyout", f"{below}.key", "-out", f"{below}.csr")
        openssl(folder, *new, "-subj", f"/CN={name} {below}", *files)
        openssl(
            folder, "x509", "-req", "-in", f"{below}.csr", "-CA", f"{above}.pem",
            "-CAkey", f"{above}.key", "-CAcreateserial", "-extfile", "tsa.cnf",
            "-extensions", what, "-days", 3650, "-out", f"{below}.pem",
        )  # fmt: skip
    return _with_all(folder)


def let_expire(tsa: Tsa) -> Tsa:
    """Certify the signer again, for a time that is over."""
    root, signer = (x509.load_pem_x509_certificate(p.read_bytes()) for p in (tsa.root, tsa.signer))
    key = load_pem_private_key((tsa.folder / "root.key").read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(signer.subject)
        .issuer_name(root.subject)
        .public_key(signer.public_key())
        .serial_number(signer.serial_number)
        .not_valid_before(signer.not_valid_before_utc - timedelta(days=20))
        .not_valid_after(signer.not_valid_before_utc - timedelta(days=10))
    )
    for one in signer.extensions:
        builder = builder.add_extension(one.value, one.critical)
    tsa.signer.write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return _with_all(tsa.folder)


def _with_all(folder: Path) -> Tsa:
    there = (folder / f"{name}.pem" for name in ("signer", "root", "middle"))
    (folder / "all.pem").write_bytes(b"".join(one.read_bytes() for one in there if one.exists()))
    return Tsa(folder)


@dataclass(slots=True)
class Service:
    """How the authority answers; a test changes it at will."""

    tsa: Tsa
    status: int = 200
    body: bytes | None = None
    """Instead of a token."""
    headers: tuple[tuple[str, str], ...] = ()
    with_certificates: bool = False
    trickles_s: float = 0.0
    """A byte each so many seconds, without an end."""
    asked: list[bytes] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where tokens are had."""
        return f"{self.scheme}://localhost:{self.port}/tsa"


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service.asked.append(question)
            self.send_response(service.status)
            for name, value in service.headers:
                self.send_header(name, value)
            self.send_header("Content-Type", "application/timestamp-reply")
            if service.trickles_s:
                self.end_headers()
                while not service.is_over.wait(service.trickles_s):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                return
            body = service.body
            if body is None:
                body = service.tsa.reply(question, with_certificates=service.with_certificates)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_unused: object) -> None:
            pass

    return Handler


@contextmanager
def serving(tsa: Tsa, context: ssl.SSLContext | None = None) -> Iterator[Service]:
    """Serve on a port of its own for the length of the block."""
    service = Service(tsa)
    if context is not None:
        service.scheme = "https"
    with listening(_handler(service), context) as service.port:
        try:
            yield service
        finally:
            service.is_over.set()
