"""The door: what a browser sends for a page of somewhere else is not done, and not even read."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from executions.endpoint_key import local_keys
from localaws.core import door
from localaws.core import server as http_server
from localaws.core.aws import LocalAws, start
from localaws.s3 import api as s3
from localaws.sns import api as sns
from tests.conftest import cases


@pytest.mark.parametrize("case", cases("door"), ids=itemgetter("why"))
def test_who_may_knock(case: dict[str, Any]) -> None:
    headers = {"Host": "127.0.0.1:4566", **case["headers"]}
    method = case.get("method", "GET")
    builder = EnvironBuilder(case.get("path", "/"), method=method, headers=headers)
    environ = builder.get_environ() | {"HTTP_HOST": headers["Host"]}
    request = Request(environ)

    public = door.strange_host(request) is None
    let_in = {"api": public and door.page(request) is None, "public": public}

    assert let_in == {"api": case["api"], "public": case["public"]}


SCOPE = "X-Amz-Credential=x/20260101/us-east-1/sns/aws4_request"
FORM = {"Action": "CreateTopic", "Version": "2010-03-31"}

# What a page does to make the topic `NAME`; URL and NAME are filled in.
ATTACKS = {
    "img": '<img src="URL/?Action=CreateTopic&Name=NAME&SCOPE">',
    "script": '<script src="URL/?Action=CreateTopic&Name=NAME&SCOPE"></script>',
    "style": '<link rel=stylesheet href="URL/?Action=CreateTopic&Name=NAME&SCOPE">',
    "frame": '<iframe src="URL/?Action=CreateTopic&Name=NAME&SCOPE"></iframe>',
    "video": '<video src="URL/?Action=CreateTopic&Name=NAME&SCOPE" autoplay></video>',
    "background": '<p style="background:url(URL/?Action=CreateTopic&Name=NAME&SCOPE)">x</p>',
    "form": '<form method=post action="URL/?SCOPE"><input name=Action value=CreateTopic>'
    "<input name=Name value=NAME></form><script>document.forms[0].submit()</script>",
    "form-get": '<form action="URL/"><input name=Action value=CreateTopic>'
    "<input name=Name value=NAME><input name=X-Amz-Credential value="
    "x/20260101/us-east-1/sns/aws4_request></form>"
    "<script>document.forms[0].submit()</script>",
    "form-multipart": '<form method=post enctype="multipart/form-data" action="URL/lake">'
    "<input name=key value=NAME><input name=file value=x></form>"
    "<script>document.forms[0].submit()</script>",
    "fetch": '<script>fetch("URL/?SCOPE&of=NAME", {method: "POST", mode: "no-cors",'
    'body: new URLSearchParams({Action: "CreateTopic", Name: "NAME"})})</script>',
    "fetch-get": '<script>fetch("URL/?Action=CreateTopic&Name=NAME&SCOPE", {mode: "no-cors"})'
    "</script>",
    "fetch-put": '<script>fetch("URL/lake/NAME", {method: "PUT", body: "x"})</script>',
    "xhr": '<script>x = new XMLHttpRequest(); x.open("POST", "URL/?SCOPE");'
    'x.send("Action=CreateTopic&Name=NAME")</script>',
    "fetch-other": '<script>fetch("URL/shared/NAME", {method: "PUT", body: "x"})</script>',
    "fetch-delete": '<script>fetch("URL/shared/kept?of=NAME", {method: "DELETE"})</script>',
    "form-shared": '<form method=post enctype="multipart/form-data" action="URL/shared">'
    "<input name=key value=NAME><input name=policy value=e30><input name=file value=x></form>"
    "<script>document.forms[0].submit()</script>",
    "beacon": '<script>navigator.sendBeacon("URL/?Action=CreateTopic&Name=NAME&SCOPE",'
    'new URLSearchParams({Action: "CreateTopic", Name: "NAME"}))</script>',
    "navigation": '<script>location = "URL/?Action=CreateTopic&Name=NAME&SCOPE"</script>',
    "refresh": '<meta http-equiv=refresh content="0;url=URL/?Action=CreateTopic&Name=NAME&SCOPE">',
    "object": '<object data="URL/?Action=CreateTopic&Name=NAME&SCOPE"></object>',
    "prefetch": '<link rel=prefetch href="URL/?Action=CreateTopic&Name=NAME&SCOPE">',
    "import": '<style>@import url("URL/?Action=CreateTopic&Name=NAME&SCOPE");</style>',
    "module": '<script type=module src="URL/?Action=CreateTopic&Name=NAME&SCOPE"></script>',
    "worker": "<script>new Worker(URL.createObjectURL(new Blob(["
    '`importScripts("URL/?Action=CreateTopic&Name=NAME&SCOPE")`])))</script>',
    "events": '<script>new EventSource("URL/?Action=CreateTopic&Name=NAME&SCOPE")</script>',
    "ping": '<a id=a href="#" ping="URL/?Action=CreateTopic&Name=NAME&SCOPE">x</a>'
    "<script>a.click()</script>",
    "window": '<script>open("URL/?Action=CreateTopic&Name=NAME&SCOPE", "_blank", "noreferrer")'
    "</script>",
    "no-referrer": "<meta name=referrer content=no-referrer>"
    '<iframe src="URL/?Action=CreateTopic&Name=NAME&SCOPE"></iframe>',
    "form-plain": '<form method=post enctype=text/plain target=_blank action="URL/?SCOPE">'
    "<input name=Action value=CreateTopic><input name=Name value=NAME></form>"
    "<script>document.forms[0].submit()</script>",
    "redirected": '<img src="/to/URL/?Action=CreateTopic&Name=NAME&SCOPE">',
    "redirected-post": '<script>fetch("/to/URL/?SCOPE&of=NAME", {method: "POST", mode: "no-cors",'
    'body: new URLSearchParams({Action: "CreateTopic", Name: "NAME"})})</script>',
    "websocket": '<script>new WebSocket("WS/?Action=CreateTopic&Name=NAME&SCOPE")</script>',
    "smuggled": '<script>fetch("URL/", {method: "POST", mode: "no-cors", body:'
    '"GET /?Action=CreateTopic&Name=NAME&SCOPE HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n"})'
    "</script>",
}

# These leave their page, or say something of all of it, so each has one; the others share one.
ALONE = (
    *("form", "form-get", "form-multipart", "form-shared"),
    *("navigation", "refresh", "no-referrer"),
)
PAGES = {"together": tuple(name for name in ATTACKS if name not in ALONE)}
PAGES |= {name: (name,) for name in ALONE}


@pytest.fixture
def open_server(tmp_path: Path) -> Iterator[tuple[LocalAws, str]]:
    listener = http_server.bind(0)
    url = f"http://127.0.0.1:{listener.server_port}"
    local = start(tmp_path / "home", [s3.service, sns.service], url=url)
    client = local.client("s3")
    for bucket in ("lake", "shared"):
        client.create_bucket(Bucket=bucket)
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "PUT", "POST"]}
    rule |= {"AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"]}
    client.put_bucket_cors(Bucket="shared", CORSConfiguration={"CORSRules": [rule]})
    client.put_object(Bucket="shared", Key="kept", Body=b"kept")
    with http_server.BackgroundServer(listener, local.gateway):
        yield local, url
        local.stop()


def page_of(name: str, way: str, url: str) -> str:
    text = "".join(ATTACKS[each].replace("NAME", f"{way}-{each}.") for each in PAGES.get(name, ()))
    text = text.replace("SCOPE", SCOPE).replace("WS/", url.replace("http", "ws") + "/")
    return text.replace("URL/", f"{url}/")


@pytest.fixture
def elsewhere(open_server: tuple[LocalAws, str]) -> Iterator[str]:
    """A site on another port; its page `/page/<name>` does the attacks, `/sandbox/<name>` does them
    in a sandboxed frame, whose origin is `null`."""
    _, url = open_server

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/to/"):
                self.send_response(307)
                self.send_header("Location", self.path.removeprefix("/to/"))
                self.end_headers()
                return
            way, _, name = self.path[1:].partition("/")
            body = page_of(name, way, url)
            if way == "sandbox":
                quoted = body.replace("&", "&amp;").replace('"', "&quot;")
                body = f'<iframe sandbox="allow-scripts allow-forms" srcdoc="{quoted}"></iframe>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://localhost:{site.server_port}"
    site.shutdown()
    site.server_close()


def test_no_page_of_anywhere_changes_anything(
    open_server: tuple[LocalAws, str], elsewhere: str, browser: Any, tmp_path: Path
) -> None:
    local, url = open_server
    context = browser.new_context()
    asked: list[str] = []
    context.on("request", lambda one: asked.append(f"{one.url} {one.post_data or ''}"))
    for name in PAGES:
        file = tmp_path / f"{name}.html"
        file.write_text(page_of(name, "file", url))
        for address in (f"{elsewhere}/page/{name}", f"{elsewhere}/sandbox/{name}", file.as_uri()):
            page = context.new_page()
            page.goto(address, wait_until="load")
            page.wait_for_timeout(200)
            for each in context.pages:
                each.close()
    context.close()

    told = " ".join(one for one in asked if one.startswith(url))
    # The browser did ask, but for what Playwright does not see.
    unseen = {"beacon", "worker", "websocket"}
    assert {name for name in ATTACKS if f"-{name}." not in told} <= unseen
    assert local.client("sns").list_topics()["Topics"] == []
    assert local.objects.list("lake") == []
    assert [each.key for each in local.objects.list("shared")] == ["kept"]


def test_page_does_what_a_buckets_rules_and_its_url_allow(
    open_server: tuple[LocalAws, str], elsewhere: str, browser: Any
) -> None:
    """An upload from a web application, with an address that its server has signed."""
    url = open_server[1]
    v4 = Config(signature_version="s3v4")  # which does not sign the type that a browser adds
    client = boto3.client("s3", "us-east-1", endpoint_url=url, config=v4, **local_keys(url))
    params = {"Bucket": "shared", "Key": "upload"}
    signed = {name: client.generate_presigned_url(name, Params=params)
              for name in ("put_object", "get_object", "delete_object")}  # fmt: skip
    send = """async ([address, method, body]) => {
        try {
            const answer = await fetch(address, {method, body, headers: {"x-app": "1"}})
            return [answer.status, answer.headers.get("ETag"), await answer.text()]
        } catch (error) { return String(error) }
    }"""
    page = browser.new_page()
    page.goto(elsewhere)
    put = page.evaluate(send, [signed["put_object"], "PUT", "hello"])
    get = page.evaluate(send, [signed["get_object"], "GET", None])
    deleted = page.evaluate(send, [signed["delete_object"], "DELETE", None])
    page.close()

    assert put[0] == 200 and put[1]
    assert get == [200, put[1], "hello"]
    assert deleted == "TypeError: Failed to fetch"
    assert client.head_object(**params)["ContentLength"] == 5


def test_a_person_may_look(open_server: tuple[LocalAws, str], browser: Any) -> None:
    _, url = open_server
    page = browser.new_page()
    assert page.goto(f"{url}/_aws/health").status == 200
    page.close()


def test_the_body_of_a_refused_request_is_not_the_next_request(
    open_server: tuple[LocalAws, str],
) -> None:
    local, url = open_server
    hidden = f"GET /?Action=CreateTopic&Name=hidden&{SCOPE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("POST", "/", body=hidden, headers={"Origin": "null"})
    answer = connection.getresponse()

    assert (answer.status, answer.getheader("Connection")) == (403, "close")
    assert json.dumps(local.client("sns").list_topics()["Topics"]) == "[]"
