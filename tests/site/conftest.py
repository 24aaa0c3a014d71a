"""The web page in a real browser, with the real handler and the real endpoint functions behind it.

The page and the API stand on two origins, as on AWS. Between browser and handler there is only
what API Gateway does: the event of payload format 2.0 in, status, headers and body out, and the
answers to CORS from the API's configuration.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.model.served import ServedModel
from tests.model.trained import Trained, train_small

SITE = Path(__file__).parents[2] / "site"
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET,POST",
    "access-control-allow-headers": "content-type",
}


class Gateway(BaseHTTPRequestHandler):
    """One HTTP API with a Lambda proxy integration."""

    protocol_version = "HTTP/1.1"

    def do_OPTIONS(self) -> None:
        self.answer(204, {}, "")

    def do_GET(self) -> None:
        from inference import api

        length = int(self.headers.get("content-length") or 0)
        path, _, query = self.path.partition("?")
        http = {"method": self.command, "path": path}
        told = api.handler(
            {
                "version": "2.0",
                "rawPath": path,
                "rawQueryString": query,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "requestContext": {"http": http, "requestId": "r", "stage": "$default"},
                "body": self.rfile.read(length).decode() or None,
                "isBase64Encoded": False,
            },
            None,
        )
        self.answer(told["statusCode"], told["headers"], told["body"])

    do_POST = do_GET  # noqa: N815

    def answer(self, status: int, headers: dict[str, str], body: str) -> None:
        self.send_response(status)
        for name, value in {**headers, **CORS, "content-length": str(len(body.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


class Files(SimpleHTTPRequestHandler):
    """The static site, quietly."""

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Running:
    """A server on a free loopback port."""

    server: ThreadingHTTPServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def run(handler: Any) -> Running:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return Running(server)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_small(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def gateway(trained: Trained) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("ENDPOINT_NAME", "rebuy")
        from inference import api

        patch.setattr(api.endpoint, "sagemaker", ServedModel(trained.model_dir))
        running = run(Gateway)
        yield running
        running.stop()


@pytest.fixture
def site(gateway: Running, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The page's address, and the folder that is served: config.json in it names the API."""
    folder = tmp_path / "site"
    shutil.copytree(SITE, folder)
    (folder / "config.json").write_text(json.dumps({"apiUrl": gateway.url}))
    running = run(partial(Files, directory=str(folder)))
    yield running.url, folder
    running.stop()


@pytest.fixture
def page(browser: Any, site: tuple[str, Path]) -> Iterator[Any]:
    """The page, loaded; at the end nothing may have gone wrong in the console unexpectedly."""
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    violations: list[str] = []
    opened.on(
        "console",
        lambda m: violations.append(m.text) if "Content Security Policy" in m.text else None,
    )
    opened.on("pageerror", lambda error: violations.append(str(error)))
    opened.goto(site[0])
    yield opened
    context.close()
    assert violations == []
