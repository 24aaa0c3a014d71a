"""A thousand connections at once, idle, slow and at work: the server answers, and forgets them."""

from __future__ import annotations

import http.client
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.attack.product import Product
from rebuy.cli import local

HALF = b"PUT /attack-load/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"
SLOW = b"GET / HTTP/1.1\r\nHost: loc"
REQUESTS = 50
SETTLE_SECONDS = 60.0


def attack(product: Product, connections: int) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    product.url = local.up(product.home, 0, 0.02, policies=product.policies).url
    server = local.find(product.home)
    assert server is not None
    place, before = urlsplit(product.url), descriptors(server.pid)
    opened = []
    for number in range(connections):
        opened.append(socket.create_connection((place.hostname, place.port), 60))
        opened[-1].sendall((b"", HALF, SLOW)[number % 3])
    yield f"{connections} open, idle or in the middle of a request"
    times, wrong = answers(str(place.hostname), int(place.port or 80), REQUESTS)
    middle = statistics.median(times) * 1000
    yield f"{'WRONG ' * bool(wrong)}{REQUESTS - wrong} of {REQUESTS} answered, in {middle:.0f} ms"
    for each in opened:
        each.close()
    with ThreadPoolExecutor(connections) as pool:
        gate = threading.Barrier(connections)

        def one(_: int) -> int:
            gate.wait()
            return answers(str(place.hostname), int(place.port or 80), 1)[1]

        failed = sum(pool.map(one, range(connections)))
    yield f"{'WRONG ' * bool(failed)}{connections - failed} of {connections} at once answered"
    deadline = time.monotonic() + SETTLE_SECONDS
    while descriptors(server.pid) > before + 5 and time.monotonic() < deadline:
        time.sleep(0.2)
    after = descriptors(server.pid)
    yield f"{'WRONG ' if after > before + 5 else ''}descriptors: {before} before, {after} after"


def answers(host: str, port: int, times: int) -> tuple[list[float], int]:
    """(seconds of each, how many were no answer)."""
    found, wrong = [], 0
    for _ in range(times):
        began = time.monotonic()
        connection = http.client.HTTPConnection(host, port, timeout=60)
        try:
            connection.request("GET", "/_aws/health")
            wrong += connection.getresponse().status != 200
        except OSError:
            wrong += 1
        finally:
            connection.close()
        found.append(time.monotonic() - began)
    return found, wrong


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
