"""The console's web server: the page, JSON over the AWS API, and histories as they grow."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from console import audit, executions, work
from console.aws import Clients, Target
from console.history import Histories, preview

Json = dict[str, Any]

HOST = "127.0.0.1"
DEFAULT_PORT = 4580
STATIC = Path(__file__).parent / "static"
LOOPBACK_NAMES = {"127.0.0.1", "localhost", "[::1]"}
MAX_BODY_BYTES = 1024 * 1024
EVENTS_A_MESSAGE = 500
KEEP_ALIVE_SECONDS = 15


class Refused(Exception):
    """Not a request that this page makes: (status, what is wrong)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Console:
    """The endpoints over one target."""

    def __init__(self, target: Target, *, read_only: bool = False) -> None:
        self.target = target
        self.read_only = read_only
        self.clients = Clients(target)
        self.histories = Histories()
        self.origins = executions.Origins()

    @property
    def step_functions(self) -> Any:
        return self.clients("stepfunctions")

    def routes(self) -> list[Route]:
        reads: dict[str, Callable[[Request], Any]] = {
            "connection": self.connection,
            "machines": lambda _: executions.machines(self.step_functions),
            "machine": lambda r: executions.machine(self.step_functions, _given(r, "arn")),
            "executions": self.executions,
            "execution": self.execution,
            "event": self.event,
            "work": self.work,
            "audit": self.audit,
        }
        writes: dict[str, Callable[[Json], Any]] = {
            "start": self.start,
            "stop": self.stop,
            "redrive": self.redrive,
        }
        asks: dict[str, Callable[[Json], Any]] = {
            "origins": self.origins_of,
            "check": lambda given: {"problem": _json_problem(given["input"])},
        }
        return [
            *(Route(f"/api/{name}", _reading(read)) for name, read in reads.items()),
            *(
                Route(f"/api/{name}", self._writing(write), methods=["POST"])
                for name, write in writes.items()
            ),
            *(Route(f"/api/{name}", _posted(ask), methods=["POST"]) for name, ask in asks.items()),
            Route("/api/watch", self.watch),
        ]

    # What there is

    def connection(self, _: Request) -> Json:
        return {
            "endpoint": self.target.endpoint_url,
            "region": self.clients.region,
            "local": self.target.is_local,
            "read_only": self.read_only,
            "poll_milliseconds": round(self.target.poll_seconds * 1000),
        }

    def executions(self, request: Request) -> Json:
        query = request.query_params
        return executions.page(
            self.step_functions, _given(request, "machine"), query.get("status"), query.get("next")
        )

    def origins_of(self, given: Json) -> Json:
        return dict(self.origins.of(self.step_functions, list(given["arns"])[:60]))

    def execution(self, request: Request) -> Json:
        """{execution, definition, revision, origin}."""
        arn = _given(request, "arn")
        history = self.histories.of(self.step_functions, arn)
        history.look(self.target.poll_seconds, again=True)
        described = history.description
        return {
            "execution": described,
            "origin": executions.origin(described),
            **executions.definition(self.step_functions, arn, described["stateMachineArn"]),
        }

    def event(self, request: Request) -> Json:
        """One event, uncut."""
        found = self._history(request).event(int(_given(request, "id")))
        if found is None:
            raise Refused(404, f"No event {_given(request, 'id')} in this history.")
        return found

    def work(self, request: Request) -> Json:
        history = self._history(request)
        task = work.task_of(history.events, int(_given(request, "id")))
        if task is None:
            raise Refused(404, "No task was scheduled by this event.")
        return {"sections": work.look_up(self.clients, task)}

    def audit(self, request: Request) -> Json:
        written = audit.find(self._history(request).events)
        if written is None:
            return {"found": False}
        found = audit.read(self.clients("s3"), written)
        if request.query_params.get("verify"):
            found["findings"] = audit.verify(self.clients("s3"), found)
        return {"found": True, **found}

    def _history(self, request: Request) -> Any:
        history = self.histories.of(self.step_functions, _given(request, "arn"))
        while True:
            history.look(self.target.poll_seconds)
            if history.caught_up:
                return history

    # As it happens

    async def watch(self, request: Request) -> Response:
        """Server-sent events: `execution` (its description, when it changed), `history` (new
        events, payloads cut), `end` (it is over; a redrive needs a new watch)."""
        try:
            arn = _given(request, "arn")
            seen = int(
                request.headers.get("last-event-id") or request.query_params.get("after") or 0
            )
        except (Refused, ValueError) as error:
            return _problem(400, "Refused", str(error))
        history = self.histories.of(self.step_functions, arn)

        async def stream() -> AsyncIterator[str]:
            nonlocal seen
            told: Json | None = None
            quiet_since = asyncio.get_running_loop().time()
            first = True
            while not await request.is_disconnected():
                try:
                    every = self.target.poll_seconds
                    await run_in_threadpool(history.look, every, again=first)
                except (ClientError, BotoCoreError) as error:
                    yield _message("problem", _told(error))
                    await asyncio.sleep(max(1.0, self.target.poll_seconds))
                    continue
                first = False
                ended = history.ended
                description = history.description
                fresh = _after(history.events, seen)
                if description != told:
                    yield _message("execution", description)
                    told = description
                for begin in range(0, len(fresh), EVENTS_A_MESSAGE):
                    part = fresh[begin : begin + EVENTS_A_MESSAGE]
                    seen = part[-1]["id"]
                    yield _message("history", [preview(event) for event in part], seen)
                now = asyncio.get_running_loop().time()
                if fresh:
                    quiet_since = now
                elif now - quiet_since > KEEP_ALIVE_SECONDS:
                    yield ": still here\n\n"
                    quiet_since = now
                if ended:
                    yield _message("end", {"status": description.get("status")})
                    return
                if history.caught_up:
                    await asyncio.sleep(self.target.poll_seconds)

        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)

    # What a person does

    def start(self, given: Json) -> Json:
        problem = _json_problem(given.get("input", "{}"))
        if problem:
            raise Refused(400, problem)
        name = {"name": given["name"]} if given.get("name") else {}
        answer = self.step_functions.start_execution(
            stateMachineArn=given["machine"], input=given.get("input", "{}"), **name
        )
        return {"execution": answer["executionArn"]}

    def stop(self, given: Json) -> Json:
        self.step_functions.stop_execution(
            executionArn=given["execution"],
            error=given.get("error") or "StoppedByUser",
            cause=given.get("cause") or "Stopped in the console.",
        )
        return {}

    def redrive(self, given: Json) -> Json:
        self.step_functions.redrive_execution(executionArn=given["execution"])
        return {}

    def _writing(self, act: Callable[[Json], Any]) -> Callable[[Request], Awaitable[Response]]:
        def refuse_or_act(given: Json) -> Any:
            if self.read_only:
                raise Refused(403, "This console is read-only.")
            return act(given)

        return _posted(refuse_or_act)


def _after(events: list[Json], seen: int) -> list[Json]:
    """Those with a larger id; the list is ordered."""
    low, high = 0, len(events)
    while low < high:
        middle = (low + high) // 2
        if events[middle]["id"] <= seen:
            low = middle + 1
        else:
            high = middle
    return events[low:]


def _json_problem(text: str) -> str | None:
    """Where and why the text is not JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"Not JSON, line {error.lineno}, column {error.colno}: {error.msg}."
    return None


def _given(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise Refused(400, f"{name} is missing.")
    return value


def _reading(read: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await _answer(lambda: read(request))

    return answer


def _posted(act: Callable[[Json], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _problem(413, "Refused", "More than 1 MB.")
        try:
            given = json.loads(body)
        except ValueError:
            return _problem(400, "Refused", "The body is not JSON.")
        return await _answer(lambda: act(given))

    return answer


async def _answer(make: Callable[[], Any]) -> Response:
    try:
        return Response(_text(await run_in_threadpool(make)), media_type="application/json")
    except Refused as error:
        return _problem(error.status, "Refused", str(error))
    except (ClientError, BotoCoreError) as error:
        told = _told(error)
        return _problem(502, told["code"], told["message"])
    except (KeyError, TypeError, ValueError) as error:
        return _problem(400, "Refused", f"{type(error).__name__}: {error}")


def _told(error: Exception) -> Json:
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        return {"code": found.get("Code", "Error"), "message": found.get("Message", str(error))}
    return {"code": type(error).__name__, "message": str(error)}


def _problem(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def _plain(value: Any) -> Any:
    """Times as milliseconds since 1970; what JSON has no word for, as text."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return str(value)


def _text(value: Any) -> bytes:
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()


def _message(event: str, data: Any, number: int | None = None) -> str:
    identity = f"id: {number}\n" if number is not None else ""
    return f"event: {event}\n{identity}data: {_text(data).decode()}\n\n"


class Guard:
    """Only this page, from this machine: Host and Origin are checked, nothing foreign is loaded.

    A name that resolves to 127.0.0.1 (DNS rebinding) fails on Host, another site's form or
    fetch on Origin and Sec-Fetch-Site.
    """

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-cache",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(Request(scope))

        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in self.headers.items()
                        if name.encode() not in given
                    ),
                ]
            await send(message)

        if refusal is not None:
            await _problem(403, "Refused", refusal)(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)

    @staticmethod
    def refusal(request: Request) -> str | None:
        host = request.headers.get("host", "")
        name = re.sub(r":\d+$", "", host)
        if name not in LOOPBACK_NAMES:
            return f"Host {host!r}; this console answers to {', '.join(sorted(LOOPBACK_NAMES))}."
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return f"Origin {origin!r} is not this console."
        site = request.headers.get("sec-fetch-site", "same-origin")
        navigating = request.headers.get("sec-fetch-mode") == "navigate"
        if request.url.path.startswith("/api/") and site not in ("same-origin", "none"):
            return "Another site asks."
        if request.method == "POST" and (
            not request.headers.get("content-type", "").startswith("application/json") or navigating
        ):
            return "Only JSON is taken."
        return None


def policy(page: str) -> str:
    """The content security policy: everything from here, and the page's import map by hash."""
    found = re.search(r'<script type="importmap">(.*?)</script>', page, re.S)
    digest = hashlib.sha256(found[1].encode()).digest() if found else b""
    import_map = base64.b64encode(digest).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{import_map}'; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; worker-src 'self'; font-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def application(target: Target, *, read_only: bool = False) -> ASGIApp:
    """The console over `target`, as an ASGI application."""

    async def page(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    console = Console(target, read_only=read_only)
    app = Starlette(
        routes=[
            Route("/", page),
            *console.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )
    return Guard(app, policy((STATIC / "index.html").read_text()))


def serve(
    target: Target, *, port: int = DEFAULT_PORT, read_only: bool = False, ready: Any = None
) -> None:
    """Serves until interrupted. `port` 0 takes any free one; `ready(url)` is called before the
    first request. OSError when the port is taken."""
    import uvicorn

    app = application(target, read_only=read_only)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen()
    url = f"http://{HOST}:{listener.getsockname()[1]}/"
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    if ready is not None:
        ready(url)
    uvicorn.Server(config).run(sockets=[listener])
