"""The HTTP server around a model, as the image runs it: /ping and /invocations, on a Unix socket.

What is answered is Flask's answer, here and there (`worker`: sagemaker-containers 2.8.6, _worker.py
and _transformer.py; sagemaker-xgboost-container, serving.py). Before it, nginx lets three paths
through. tests/model/test_container.py compares all of it with the real packages.

One thread does it all: a prediction takes less time than handing it to another thread.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import flask

CSV, JSON = "text/csv", "application/json"
NGINX_PATHS = (b"/ping", b"/invocations", b"/execution-parameters")  # and all that begins so


class ClientError(Exception):
    """What an exception of a script's function becomes: the toolkit wraps each in it."""


class Reply(NamedTuple):
    """An HTTP answer: a status line like `200 OK`, a body, and its type, if it has one."""

    status: str
    body: bytes
    content_type: str | None = None


Transform = Callable[[Any, str, str], Any]


def load(module: ModuleType, model_dir: str, image: ModuleType) -> Transform:
    """The request handler of a script: (body, content type, accept) to output_fn's result.

    `image` has the functions that a script may leave out. It has no model_fn.
    """
    has = {name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(module, name)}
    if hasattr(module, "transform_fn") and has:
        raise ValueError(
            "Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn"
        )
    if not hasattr(module, "model_fn"):
        raise NotImplementedError("Please provide a model_fn implementation.")
    model = module.model_fn(model_dir)
    if hasattr(module, "transform_fn"):
        return lambda body, kind, accept: module.transform_fn(model, body, kind, accept)
    take, predict, give = (
        getattr(module, name, getattr(image, name))
        for name in ("input_fn", "predict_fn", "output_fn")
    )

    def transform(body: Any, kind: str, accept: str) -> Any:
        return give(predict(take(body, kind), model), accept)

    return transform


class Response(flask.Response):
    """The toolkit's: without a type it is JSON."""

    default_mimetype = JSON


def worker(transform: Transform, name: str) -> flask.Flask:
    """The application that the image's toolkit makes around a script."""
    app = flask.Flask(name)

    def invocations() -> Any:
        headers = flask.request.headers
        kind = headers.get("ContentType") or headers.get("Content-Type") or JSON
        accept = headers.get("Accept")
        if not accept or accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
        body: bytes | str = flask.request.get_data()
        if kind in (CSV, JSON):
            body = flask.request.get_data(as_text=True)
        try:
            result = transform(body, kind, accept)
        except Exception as problem:
            raise ClientError(problem) from problem
        if isinstance(result, tuple):
            return Response(result[0], mimetype=result[1])
        return result

    app.add_url_rule("/invocations", view_func=invocations, methods=["POST"])
    app.add_url_rule("/ping", endpoint="ping", view_func=Response)
    return app


def answer(
    app: flask.Flask, method: str, target: str, headers: dict[str, str], body: bytes
) -> Reply:
    """What nginx and the application behind it answer to one request."""
    path, _, query = target.partition("?")
    if not path.encode().startswith(NGINX_PATHS):
        return Reply("404 Not Found", b"{}", "application/octet-stream")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    started: dict[str, Any] = {}

    def start(status: str, sent: Iterable[tuple[str, str]], exc_info: Any = None) -> Any:
        started.update(status=status, headers={name.lower(): value for name, value in sent})

    parts = app(environ, start)
    content = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    return Reply(started["status"], content, started["headers"].get("content-type"))


class Connection(asyncio.Protocol):
    """One kept-alive connection. Its only client sends Content-Length."""

    def __init__(self, app: flask.Flask) -> None:
        self.app = app
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
            first, *lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
            headers = {
                name.strip(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            length = int(headers.get("Content-Length", "0"))
            if len(self.buffer) < end + 4 + length:
                return
            body = bytes(self.buffer[end + 4 : end + 4 + length])
            del self.buffer[: end + 4 + length]
            method, target, _ = first.split(" ", 2)
            self.send(answer(self.app, method, target, headers, body))

    def send(self, reply: Reply) -> None:
        """Writes the answer."""
        kind = f"Content-Type: {reply.content_type}\r\n" if reply.content_type else ""
        head = f"HTTP/1.1 {reply.status}\r\n{kind}Content-Length: {len(reply.body)}\r\n\r\n"
        self.transport.write(head.encode("latin-1") + reply.body)


async def run(socket: str, app: flask.Flask) -> None:
    """Serves until SIGTERM; what is being answered is finished first."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_unix_server(lambda: Connection(app), socket)
    async with server:
        await stop.wait()


def serve(socket: str, model_dir: str, code_dir: str, module: str, image: ModuleType) -> None:
    """Loads the model, then listens: the socket exists only when /ping would answer 200.

    Without a module it is the image's own algorithm.
    """
    sys.path.insert(0, code_dir)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if module:
        app = worker(load(importlib.import_module(module), model_dir, image), module)
    else:
        app = image.algorithm(model_dir)
    print(json.dumps({"serving": module or "algorithm", "model": Path(model_dir).name}))
    asyncio.run(run(socket, app))
