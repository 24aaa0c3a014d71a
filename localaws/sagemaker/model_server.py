"""The HTTP server around a model: GET /ping, POST /invocations, on a Unix socket.

The functions of the model's script are called as the image's toolkit calls them: model_fn once,
then input_fn, predict_fn and output_fn (or transform_fn) for each request
(docs.aws.amazon.com/sagemaker/latest/dg/adapt-inference-container.html). One thread does it all:
a prediction takes less time than handing it to another thread.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

MAXIMUM_BODY_BYTES = 6 * 1024 * 1024  # InvokeEndpoint takes no more
REASONS = {200: "OK", 204: "No Content", 404: "Not Found", 413: "Payload Too Large"}
# The toolkit hands these to input_fn as text, everything else as bytes.
TEXT_TYPES = ("text/", "application/json", "application/jsonlines")


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = "text/plain"


Transform = Callable[[Any, str, str], Any]


def load(module: ModuleType, model_dir: str) -> Transform:
    """The request handler of a script: (body, content type, accept) to output_fn's result.

    The image's defaults for missing functions are not copied here: a script must have them.
    """
    has = {name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(module, name)}
    missing = {"model_fn"} - set(vars(module))
    if not hasattr(module, "transform_fn"):
        missing |= {"input_fn", "predict_fn", "output_fn"} - has
    elif has:
        raise ValueError(f"Cannot use transform_fn together with {', '.join(sorted(has))}.")
    if missing:
        raise NotImplementedError(
            f"{module.__name__} has no {', '.join(sorted(missing))}; localaws does not emulate the "
            "defaults of the XGBoost image."
        )
    model = module.model_fn(model_dir)
    if hasattr(module, "transform_fn"):
        return lambda body, kind, accept: module.transform_fn(model, body, kind, accept)

    def transform(body: Any, kind: str, accept: str) -> Any:
        return module.output_fn(module.predict_fn(module.input_fn(body, kind), model), accept)

    return transform


def answer(transform: Transform, body: bytes, headers: dict[bytes, bytes]) -> Reply:
    """The answer to one invocation. An exception's `status_code` becomes the status, else 500."""
    kind = headers.get(b"content-type", b"application/json").decode("latin-1")
    accept = headers.get(b"accept", b"*/*").decode("latin-1")
    if accept == "*/*":
        accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
    try:
        content: Any = body.decode() if kind.startswith(TEXT_TYPES) else body
        result = transform(content, kind, accept)
        if isinstance(result, tuple):
            result, accept = result
        return Reply(200, to_bytes(result), accept)
    except Exception as problem:
        status = getattr(problem, "status_code", None)
        if not isinstance(status, int) or not 400 <= status < 600:
            traceback.print_exc()
            return Reply(500, f"{type(problem).__name__}: {problem}".encode())
        return Reply(status, str(getattr(problem, "message", problem)).encode())


def to_bytes(result: Any) -> bytes:
    """The body that output_fn gave: text or bytes."""
    if isinstance(result, str):
        return result.encode()
    if isinstance(result, bytes | bytearray):
        return bytes(result)
    raise TypeError(
        f"output_fn returned {type(result).__name__}; str, bytes or a pair (body, content type) "
        "can be sent."
    )


class Connection(asyncio.Protocol):
    """One kept-alive connection. Its only client sends Content-Length."""

    def __init__(self, transform: Transform) -> None:
        self.transform = transform
        self.buffer = bytearray()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            first, *lines = bytes(self.buffer[:end]).split(b"\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(b":") for line in lines)
            }
            length = int(headers.get(b"content-length", b"0"))
            if length > MAXIMUM_BODY_BYTES:
                self.send(Reply(413, b"The body is over 6 MB."))
                self.transport.close()
                return
            if len(self.buffer) < end + 4 + length:
                return
            body = bytes(self.buffer[end + 4 : end + 4 + length])
            del self.buffer[: end + 4 + length]
            self.send(self.reply(first, headers, body))

    def reply(self, first: bytes, headers: dict[bytes, bytes], body: bytes) -> Reply:
        """Routes one request."""
        method, _, rest = first.partition(b" ")
        path = rest.partition(b" ")[0]
        if (method, path) == (b"GET", b"/ping"):
            return Reply(200, b"")
        if (method, path) == (b"POST", b"/invocations"):
            return answer(self.transform, body, headers) if body else Reply(204, b"")
        return Reply(404, b"Only GET /ping and POST /invocations.")

    def send(self, reply: Reply) -> None:
        """Writes the answer."""
        head = (
            f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Error')}\r\n"
            f"Content-Type: {reply.content_type}\r\nContent-Length: {len(reply.body)}\r\n\r\n"
        )
        self.transport.write(head.encode("latin-1") + reply.body)


async def run(socket: str, transform: Transform) -> None:
    """Serves until SIGTERM; what is being answered is finished first."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_unix_server(lambda: Connection(transform), socket)
    async with server:
        await stop.wait()


def serve(socket: str, model_dir: str, code_dir: str, module: str) -> None:
    """Loads the model, then listens: the socket exists only when /ping would answer 200."""
    sys.path.insert(0, code_dir)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    transform = load(importlib.import_module(module), model_dir)
    print(json.dumps({"serving": module, "model": Path(model_dir).name}))
    asyncio.run(run(socket, transform))
