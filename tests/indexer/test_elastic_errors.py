"""What is wrong with a cluster is said once, with its cause and the next step."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance.index import mail
from elastic_kit import fresh_config, parts
from holdfast.core.errors import HoldfastError, Refused, Unavailable
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.elastic.connection import ElasticConfig, connect
from holdfast.indexer.elastic.parts import new_generation
from holdfast.indexer.elastic_index import ElasticIndex, Surroundings
from http_listening import listening
from server_elasticsearch import Cluster

GENERATION = new_generation("ab")


def opened(config: ElasticConfig) -> ElasticIndex:
    def sleep(_: float) -> None:
        raise AssertionError("what a person must mend is not waited for")

    return ElasticIndex(config, GENERATION, Surroundings(sleep=sleep))


def failure(config: ElasticConfig) -> HoldfastError:
    with pytest.raises(HoldfastError) as caught:
        opened(config)
    assert caught.value.next_step
    return caught.value


@contextmanager
def answering(headers: dict[str, str], version: str, tls: Path | None = None) -> Iterator[str]:
    """Run a server that gives itself for a node of some version."""
    body = json.dumps({"nodes": {"n": {"version": version}}}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in {**headers, "content-type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
    with listening(Handler, context) as port:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"


def own_certificate(path: Path) -> Path:
    """Write a key and a certificate for this host that nobody else has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = made.sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    ) + signed.public_bytes(serialization.Encoding.PEM)
    path.write_bytes(pem)
    return path


PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


def test_wrong_password(cluster: Cluster) -> None:
    said = failure(cluster.config(password="wrong"))
    assert isinstance(said, Unavailable)
    assert "does not know this user and password" in said.cause
    assert "wrong" not in str(said)
    assert "index.password" in said.next_step


def test_host_that_does_not_answer() -> None:
    said = failure(ElasticConfig(("http://127.0.0.1:1",)))
    assert isinstance(said, Unavailable)
    assert "cannot be reached" in said.cause
    assert "index.url" in said.next_step


def test_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    with answering(PRODUCT, "8.19.0", own_certificate(tmp_path / "own.pem")) as url:
        said = failure(ElasticConfig((url,)))
    assert isinstance(said, Unavailable)
    assert "cannot be trusted" in said.cause
    assert "index.ca_file" in said.next_step


@pytest.mark.parametrize("version", ["9.1.0", "7.17.20"])
def test_server_of_another_major_version(version: str) -> None:
    with answering(PRODUCT, version) as url:
        said = failure(ElasticConfig((url,)))
    assert isinstance(said, Unavailable)
    assert version in said.cause
    assert "Elasticsearch 8" in said.next_step


def test_server_that_is_something_else() -> None:
    with answering({}, "8.19.0") as url:
        said = failure(ElasticConfig((url,)))
    assert "is not Elasticsearch" in said.cause


@pytest.mark.parametrize(
    "config",
    [ElasticConfig(("no address",)), ElasticConfig(("https://h:1",), ca_file=Path("/no/such"))],
)
def test_settings_that_cannot_be_used_are_refused(config: ElasticConfig) -> None:
    assert isinstance(failure(config), Refused)


@pytest.mark.parametrize(
    ("block", "cause"),
    [
        ("read_only", "is set to read-only"),
        ("write", "is set to read-only"),
        ("read_only_allow_delete", "the disk of a node is full"),
    ],
)
def test_index_that_may_not_be_written(cluster: Cluster, block: str, cause: str) -> None:
    with fresh_config(cluster) as config:
        index = opened(config)
        index.add([analyse_record(mail(1))])
        index.commit()
        (name,) = parts(config)
        with connect(config) as client:
            client.indices.put_settings(index=name, settings={f"index.blocks.{block}": True})
            index.add([analyse_record(mail(2))])
            with pytest.raises(Unavailable) as caught:
                index.commit()
            client.indices.put_settings(index=name, settings={f"index.blocks.{block}": None})
        assert cause in caught.value.cause
        assert caught.value.next_step
        assert sorted(index.ids()) == [1]
        index.add([analyse_record(mail(2))])
        index.commit()
        assert sorted(index.ids()) == [1, 2]


def test_index_of_another_version(cluster: Cluster) -> None:
    with fresh_config(cluster) as config:
        index = opened(config)
        index.add([analyse_record(mail(1))])
        index.commit()
        (name,) = parts(config)
        with connect(config) as client:
            meta = {"analysis": "0.0", "mapping": 1, "first_id": 0, "shards": 1}
            client.indices.put_mapping(index=name, meta=meta)
        said = failure(config)
        assert "another version of Holdfast" in said.cause
        assert "reindex --full" in said.next_step
        with pytest.raises(Unavailable, match="another version"):
            ElasticIndex(replace(config, prefix=config.prefix), "m0-ab")
