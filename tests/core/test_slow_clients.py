"""Clients that stop halfway or send a byte at a time: ended after a while, nothing stays."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.core import gateway, slow_clients
from localaws.core import server as http_server
from localaws.core.aws import LocalAws, start
from localaws.plain.api import FACTORIES
from localaws.s3 import api as s3

PUT = b"PUT /lake/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
JSON = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    b"X-Amz-Target: AmazonSQS.ListQueues\r\nContent-Type: application/x-amz-json-1.0\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sqs/aws4_request,"
    b" SignedHeaders=host, Signature=0\r\n"
)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    monkeypatch.setattr(slow_clients, "PATIENCE_SECONDS", 1.0)
    listener = http_server.bind(0)
    url = f"http://127.0.0.1:{listener.server_port}"
    aws = start(tmp_path / "home", [s3.service, *FACTORIES.values()], url=url)
    aws.client("s3").create_bucket(Bucket="lake")
    with http_server.BackgroundServer(listener, aws.gateway, poll_seconds=0.01):
        yield aws
        aws.stop()


def connect(local: LocalAws) -> socket.socket:
    host, port = local.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), 30)


def answer(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:  # it had not read what came last
        pass
    return b"".join(parts)


def trickle(connection: socket.socket) -> bytes:
    """Sends a byte every twentieth of a second, until an answer comes."""
    connection.settimeout(0.05)
    began = time.monotonic()
    while time.monotonic() - began < 20:
        try:
            connection.sendall(b"x")
            return connection.recv(1) + answer(connection)
        except TimeoutError:
            continue
        except OSError:
            return b""
    raise AssertionError("it waits for ever")


def used() -> int:
    """Descriptors and threads."""
    return len(list(Path("/proc/self/fd").iterdir())) + threading.active_count()


@pytest.mark.parametrize("head", [PUT, JSON], ids=["S3", "JSON"])
@pytest.mark.parametrize("how", ["stops", "trickles"])
def test_body_that_does_not_come_is_ended_and_others_go_on(
    local: LocalAws, head: bytes, how: str
) -> None:
    before = used()
    with connect(local) as connection:
        connection.sendall(head + b"\r\nhalf")
        other = http.client.HTTPConnection(*connection.getpeername(), timeout=30)
        other.request("GET", "/_aws/health")
        assert other.getresponse().status == 200
        other.close()
        said = answer(connection) if how == "stops" else trickle(connection)

    assert said.startswith(b"HTTP/1.1 400 ") and b"RequestTimeout" in said
    assert b"Your socket connection to the server was not read from or written to" in said
    assert "Contents" not in local.client("s3").list_objects_v2(Bucket="lake")
    assert not list((local.home.root / "objects" / ".incoming").iterdir())
    deadline = time.monotonic() + 30
    while used() > before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("head", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: loc"])
def test_connection_without_a_request_is_closed(local: LocalAws, head: bytes) -> None:
    with connect(local) as connection:
        connection.sendall(head)
        assert answer(connection) == b""
    with connect(local) as connection:
        connection.sendall(head)
        assert trickle(connection) == b""


@pytest.mark.parametrize("chunked", [False, True])
def test_body_that_would_be_held_has_a_most_and_an_objects_has_none(
    local: LocalAws, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(gateway, "MOST_BODY_BYTES", 5000)
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 6000"
    body = b"x" * 6000 if not chunked else b"1770\r\n" + b"x" * 6000 + b"\r\n0\r\n\r\n"
    with connect(local) as connection:
        connection.sendall(JSON.replace(b"Content-Length: 1000", length) + b"\r\n" + body)
        said = answer(connection)
    assert said.startswith(b"HTTP/1.1 413 ") and b"RequestEntityTooLargeException" in said
    with connect(local) as connection:
        connection.sendall(PUT.replace(b"Content-Length: 100000", length) + b"\r\n" + body)
        assert answer(connection).startswith(b"HTTP/1.1 200 ")
    assert local.client("s3").head_object(Bucket="lake", Key="slow")["ContentLength"] == 6000


def test_body_that_comes_takes_as_long_as_it_takes(local: LocalAws) -> None:
    with connect(local) as connection:
        connection.sendall(PUT + b"\r\n")
        for _ in range(20):  # twice as long as one may wait in all
            connection.sendall(b"x" * 5000)
            time.sleep(0.1)
        assert answer(connection).startswith(b"HTTP/1.1 200 ")
    assert local.client("s3").head_object(Bucket="lake", Key="slow")["ContentLength"] == 100_000
