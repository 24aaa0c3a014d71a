"""An object of many gigabytes: put, read, uploaded in parts and copied, without being held."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.attack.product import Product
from benchmarks.memory import Sampler, tree_bytes
from localaws.core.home import holder

BUCKET = "attack-large"
MOST_MORE_BYTES = 200_000_000
CHUNK_BYTES = 1 << 20


def attack(product: Product, gigabytes: int) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    product.set_up()
    s3 = product.connection.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    file = product.home / "large"
    with file.open("wb") as sparse:
        sparse.truncate(gigabytes << 30)

    def put() -> None:
        with file.open("rb") as body:
            s3.put_object(Bucket=BUCKET, Key="put", Body=body)

    def get() -> None:
        body: Any = s3.get_object(Bucket=BUCKET, Key="put")["Body"]
        if sum(map(len, body.iter_chunks(CHUNK_BYTES))) != gigabytes << 30:
            raise RuntimeError("what was read is not as long as what was put")

    acts: dict[str, Callable[[], Any]] = {
        "PutObject": put,
        "GetObject": get,
        "an upload in parts": lambda: s3.upload_file(str(file), BUCKET, "parts"),
        "a copy in parts": lambda: s3.copy({"Bucket": BUCKET, "Key": "parts"}, BUCKET, "copy"),
    }
    server = holder(product.home)
    if server is None:
        raise RuntimeError(f"No local AWS runs on {product.home}.")
    for name, act in acts.items():
        before, began = tree_bytes(server), time.monotonic()
        with Sampler(server) as sampler:
            act()
        more = max(0, sampler.peak() - before)
        wrong = "WRONG " if more > MOST_MORE_BYTES else ""
        seconds = time.monotonic() - began
        yield f"{wrong}{name} of {gigabytes} GiB: {more / 1e6:.0f} MB more memory, {seconds:.0f} s"
