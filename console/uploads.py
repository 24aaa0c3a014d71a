"""A file from the page to S3: the request's body, part by part, never whole in memory."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from console import lake, web

Json = dict[str, Any]

# S3's multipart uploads take 10,000 parts; 8 MB parts, boto3's, hold this much.
MOST_BYTES = 50 * 1000**3
MOST_KEY_BYTES = 1024
WAITING_CHUNKS = 16


class Broken(OSError):
    """The page went away in the middle of a file."""


class Pipe:
    """What the event loop receives and a thread reads, at most `WAITING_CHUNKS` chunks apart."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes | Broken | None] = queue.Queue(WAITING_CHUNKS)
        self._rest = b""
        self._over = threading.Event()

    async def put(self, chunk: bytes | Broken | None) -> None:
        """Waits while the reader is behind; gives up when it has stopped reading."""
        try:
            self._chunks.put_nowait(chunk)
        except queue.Full:
            await run_in_threadpool(self._wait_and_put, chunk)

    def _wait_and_put(self, chunk: bytes | Broken | None) -> None:
        while not self._over.is_set():
            try:
                self._chunks.put(chunk, timeout=0.5)
                return
            except queue.Full:
                continue

    def close(self) -> None:
        self._over.set()

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; fewer only at the end. Raises Broken."""
        parts, length = [self._rest], len(self._rest)
        self._rest = b""
        while size < 0 or length < size:
            chunk = self._chunks.get()
            if isinstance(chunk, Broken):
                raise chunk
            if chunk is None:
                self._chunks.put(None)
                break
            parts.append(chunk)
            length += len(chunk)
        found = b"".join(parts)
        if 0 <= size < length:
            found, self._rest = found[:size], found[size:]
        return found


def check_place(glue: Any, bucket: str, key: str) -> None:
    """Raises Refused unless the key lies where a crawler of this account looks."""
    if not key or key.endswith("/") or len(key.encode()) > MOST_KEY_BYTES:
        raise web.Refused(400, f"{key!r} is no key of an object.")
    if any(part in (".", "..") for part in key.split("/")):
        raise web.Refused(400, f"{key!r} has . or .. in it.")
    places = [f"{place['bucket']}/{place['prefix']}" for place in lake.landing_places(glue)]
    if not any(f"{bucket}/{key}".startswith(place) for place in places):
        raise web.Refused(
            403,
            f"s3://{bucket}/{key} is not below a place that a crawler reads: "
            f"{', '.join(places) or 'there is none'}.",
        )


async def receive(request: Request, s3: Any, glue: Any) -> Response:
    """PUT /api/upload?bucket=&key= with the file as its body; answers {bytes}."""
    try:
        bucket, key = web.given(request, "bucket"), web.given(request, "key")
        declared = request.headers.get("content-length")
        if declared is None or not declared.isdigit():
            raise web.Refused(411, "The size of the file is not told.")
        if int(declared) > MOST_BYTES:
            raise web.Refused(413, f"A file has up to {MOST_BYTES / 1000**3:.0f} GB here.")
        await run_in_threadpool(check_place, glue, bucket, key)
    except web.Refused as error:
        return web.problem(error.status, "Refused", str(error))
    except (ClientError, BotoCoreError) as error:
        return web.problem(502, **web.told(error))
    pipe = Pipe()
    failed: list[Exception] = []

    def send() -> None:
        try:
            s3.upload_fileobj(pipe, bucket, key)
        except Exception as error:  # told to the page, whatever it was
            failed.append(error)
        finally:
            pipe.close()

    async with asyncio.TaskGroup() as both:
        both.create_task(run_in_threadpool(send))
        both.create_task(_feed(request.stream(), pipe))
    if failed:
        return web.problem(502, **web.told(failed[0]))
    return JSONResponse({"bytes": int(declared)})


async def _feed(chunks: AsyncIterator[bytes], pipe: Pipe) -> None:
    try:
        async for chunk in chunks:
            if chunk:
                await pipe.put(chunk)
        await pipe.put(None)
    except ClientDisconnect:
        await pipe.put(Broken("The upload was broken off."))
