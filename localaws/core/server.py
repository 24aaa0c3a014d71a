"""The HTTP server: loopback only, a thread a connection."""

from __future__ import annotations

import io
import threading
from types import TracebackType
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from localaws.core import slow_clients

HOST = "127.0.0.1"


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive: boto3 pools connections
    timeout = slow_clients.READER_SECONDS
    rfile: Any

    def setup(self) -> None:
        super().setup()
        self.rfile.close()  # it would wait for ever
        self.rfile = io.BufferedReader(slow_clients.Patient(self.connection))

    def make_environ(self) -> dict[str, Any]:
        environ = super().make_environ()
        environ["wsgi.input"] = slow_clients.Body(environ["wsgi.input"])
        return environ

    def log_request(self, *_: Any) -> None:
        """Quiet: a request a line says nothing to a person."""


def bind(port: int) -> BaseWSGIServer:
    """A server bound to the port (0: any free one) that still needs its application."""
    return make_server(HOST, port, _starting, threaded=True, request_handler=_Handler)


def _starting(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
    return [b"localaws is starting\n"]


class BackgroundServer:
    """Serves `application` on a thread until the `with` block ends."""

    def __init__(
        self, server: BaseWSGIServer, application: Any, poll_seconds: float = 0.05
    ) -> None:
        """`poll_seconds`: how long its end may take to be seen, while nobody calls."""
        self._server = server
        server.app = application
        self._thread = threading.Thread(
            target=server.serve_forever, args=(poll_seconds,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def __enter__(self) -> BackgroundServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
