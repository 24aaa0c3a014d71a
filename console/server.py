"""The console's web server: the page, JSON over the AWS API, and histories as they grow."""

from __future__ import annotations

import asyncio
import json
import socket
from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from console import executions, lake, queries, schedules, uploads, web, work
from console.glue import GluePage
from console.guard import UPLOAD_PATH, Guard, policy
from console.history import Histories, preview
from console.page import STATIC, page
from console.prepare import PreparePage
from console.query_page import QueryPage
from console.task import Task
from executions import audit, comparison, costs
from executions.clients import Clients
from executions.events import Events, let_wait
from executions.history import History

Json = dict[str, Any]
# What a posted body does, and the members that it must have.
Act = tuple[Callable[[Json], Any], dict[str, type]]

HOST = "127.0.0.1"
DEFAULT_PORT = 4580
EVENTS_A_MESSAGE = 500
KEEP_ALIVE_SECONDS = 15
GATHER_SECONDS = 0.02
MOST_VERIFIED_BYTES = 2 * 1024**3
READ_ONLY = "This console is read-only."


class Console:
    """The endpoints over one target."""

    def __init__(self, clients: Clients, *, read_only: bool = False) -> None:
        self.target = clients.target
        self.read_only = read_only
        self.clients = clients
        self.histories = Histories()
        self.origins = executions.Origins()
        self.estimates = costs.Estimates()
        self.query_page = QueryPage(clients)
        self.prepare_page = PreparePage(clients)
        self.glue_page = GluePage(clients)
        if self.target.is_local:
            let_wait(self.step_functions)

    @property
    def step_functions(self) -> Any:
        return self.clients("stepfunctions")

    def routes(self) -> list[Route]:
        reads: dict[str, Callable[[Request], Any]] = {
            "connection": self.connection,
            "machines": lambda _: executions.machines(self.step_functions),
            "machine": lambda r: executions.machine(self.step_functions, web.given(r, "arn")),
            "executions": self.executions,
            "execution": self.execution,
            "event": self.event,
            "work": self.work,
            "audit": self.audit,
            "comparison": self.comparison,
            "lake": lambda _: lake.databases(self.clients("glue")),
            "tables": lambda r: lake.tables(
                self.clients("glue"), web.given(r, "database"), r.query_params.get("next")
            ),
            "partitions": lambda r: lake.partitions(
                self.clients("glue"),
                web.given(r, "database"),
                web.given(r, "table"),
                r.query_params.get("next"),
            ),
            "places": lambda _: lake.places_with_keys(self.clients("glue"), self.clients("s3")),
            "schedules": lambda _: schedules.all_of(self.clients),
            "costs": lambda r: costs.estimate(self._history(r).events),
            **self.query_page.reads(),
            **self.prepare_page.reads(),
            **self.glue_page.reads(),
        }
        writes: dict[str, Act] = {
            "start": (self.start, {"machine": str}),
            "stop": (self.stop, {"execution": str}),
            "redrive": (self.redrive, {"execution": str}),
            "switch": (
                lambda body: schedules.switch(self.clients, body),
                {"kind": str, "name": str, "group": str, "on": bool},
            ),
            "preview": (
                lambda body: lake.preview(self.clients("athena"), body["database"], body["table"]),
                {"database": str, "table": str},
            ),
            "plan": (
                lambda body: queries.plan(self.clients("athena"), body["query"]),
                {"query": str},
            ),
            **self.query_page.writes(),
            **self.prepare_page.writes(),
            **self.glue_page.writes(),
        }
        asks: dict[str, Act] = {
            "origins": (self.origins_of, {"arns": list}),
            "estimates": (self.estimates_of, {"arns": list}),
            "check": (lambda body: {"problem": _json_problem(body["input"])}, {"input": str}),
            **self.glue_page.asks(),
        }
        return [
            *(Route(f"/api/{name}", web.reading(read)) for name, read in reads.items()),
            *(
                Route(f"/api/{name}", self._writing(act, members), methods=["POST"])
                for name, (act, members) in writes.items()
            ),
            *(
                Route(f"/api/{name}", web.posted(act, members), methods=["POST"])
                for name, (act, members) in asks.items()
            ),
            Route("/api/watch", self.watch),
            Route(UPLOAD_PATH, self.upload, methods=["PUT"]),
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
            self.step_functions,
            web.given(request, "machine"),
            query.get("status"),
            query.get("next"),
        )

    def origins_of(self, given: Json) -> Json:
        return dict(self.origins.of(self.step_functions, list(given["arns"])[:60]))

    def estimates_of(self, given: Json) -> Json:
        return dict(self.estimates.of(self.step_functions, list(given["arns"])[:60]))

    def execution(self, request: Request) -> Json:
        """{execution, definition, revision, origin}."""
        arn = web.given(request, "arn")
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
        number = web.number(request, "id")
        event = self._history(request).event(number)
        if event is None:
            raise web.Refused(404, f"No event {number} in this history.")
        return event

    def work(self, request: Request) -> Json:
        """{sections} of the attempt that an event scheduled."""
        attempts = History(self._history(request).events).attempts
        attempt = attempts.get(web.number(request, "id"))
        if attempt is None:
            raise web.Refused(404, "No task was scheduled by this event.")
        return {"sections": work.look_up(self.clients, Task.of(attempt))}

    def audit(self, request: Request) -> Json:
        """{found, uri, sha256, record, findings (on request)}."""
        history = self._history(request)
        record = audit.find(self.clients, history.description, history.events)
        if record is None:
            return {"found": False}
        answer: Json = {"found": True, "uri": record.uri, "sha256": record.sha256}
        if request.query_params.get("verify"):
            findings = audit.verify(self.clients, record, most_bytes=MOST_VERIFIED_BYTES)
            answer["findings"] = [asdict(finding) for finding in findings]
        return {**answer, "record": record.content}

    def comparison(self, request: Request) -> Json:
        """{rows} of two executions with audit records; {without: the ARNs that have none}."""
        arns = [web.given(request, "one"), web.given(request, "other")]
        histories = [self._history_of(arn) for arn in arns]
        found = [audit.find(self.clients, one.description, one.events) for one in histories]
        records = [record.content for record in found if record is not None]
        if len(records) < len(found):
            return {"without": [arn for arn, one in zip(arns, found, strict=True) if one is None]}
        return {"rows": [row.as_json() for row in comparison.compare(*records)]}

    def _history(self, request: Request) -> Events:
        return self._history_of(web.given(request, "arn"))

    def _history_of(self, arn: str) -> Events:
        history = self.histories.of(self.step_functions, arn)
        history.read_all(self.target.poll_seconds)
        return history

    # As it happens

    async def watch(self, request: Request) -> Response:
        """Server-sent events: `execution` (its description, when it changed), `history` (new
        events, payloads cut), `end` (it is over; a redrive needs a new watch)."""
        try:
            arn = web.given(request, "arn")
            seen = int(
                request.headers.get("last-event-id") or request.query_params.get("after") or 0
            )
        except (web.Refused, ValueError) as error:
            return web.problem(400, "Refused", str(error))
        history = self.histories.of(self.step_functions, arn)

        async def stream() -> AsyncIterator[str]:
            nonlocal seen
            told: Json | None = None
            quiet_since = asyncio.get_running_loop().time()
            first = True
            every = self.target.poll_seconds
            while not await request.is_disconnected():
                try:
                    await run_in_threadpool(history.look, every, again=first)
                except (ClientError, BotoCoreError) as error:
                    yield _message("problem", web.told(error))
                    await asyncio.sleep(max(1.0, self.target.poll_seconds))
                    continue
                first = False
                ended = history.ended
                description = history.description
                fresh = history.events[bisect_right(history.events, seen, key=itemgetter("id")) :]
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
                    every = await self.rest(history)

        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)

    async def rest(self, history: Events) -> float:
        """Waits until the next look is due; returns how old a look may be to be shared then.

        A local endpoint is asked to tell of news at once. What comes within `GATHER_SECONDS` is
        one look. AWS, which cannot tell, is asked again after a while."""
        if not self.target.is_local:
            await asyncio.sleep(self.target.poll_seconds)
            return self.target.poll_seconds
        try:
            news = await run_in_threadpool(history.wait, self.target.poll_seconds)
        except (ClientError, BotoCoreError):
            news = False  # the look that follows tells
        if not news:
            return self.target.poll_seconds
        await asyncio.sleep(GATHER_SECONDS)
        return 0.0

    # What a person does

    def start(self, given: Json) -> Json:
        problem = _json_problem(str(given.get("input", "{}")))
        if problem:
            raise web.Refused(400, problem)
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

    async def upload(self, request: Request) -> Response:
        if self.read_only:
            return web.problem(403, "Refused", READ_ONLY)
        return await uploads.receive(request, self.clients("s3"), self.clients("glue"))

    def redrive(self, given: Json) -> Json:
        self.step_functions.redrive_execution(executionArn=given["execution"])
        self.estimates.forget(given["execution"])
        return {}

    def _writing(
        self, act: Callable[[Json], Any], members: dict[str, type]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def refuse(_: Request) -> Response:
            return web.problem(403, "Refused", READ_ONLY)

        return refuse if self.read_only else web.posted(act, members)


def _json_problem(text: str) -> str | None:
    """Where and why the text is not JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"Not JSON, line {error.lineno}, column {error.colno}: {error.msg}."
    return None


def _message(event: str, data: Any, number: int | None = None) -> str:
    identity = f"id: {number}\n" if number is not None else ""
    return f"event: {event}\n{identity}data: {web.text(data).decode()}\n\n"


def application(clients: Clients, *, read_only: bool = False) -> ASGIApp:
    """The console over these clients, as an ASGI application."""

    text = page()

    async def index(_: Request) -> Response:
        return HTMLResponse(text)

    console = Console(clients, read_only=read_only)
    app = Starlette(
        routes=[
            Route("/", index),
            *console.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={Exception: web.fault},
    )
    return Guard(app, policy(text))


def serve(
    clients: Clients, *, port: int = DEFAULT_PORT, read_only: bool = False, ready: Any = None
) -> None:
    """Serves until interrupted. `port` 0 takes any free one; `ready(url)` is called before the
    first request. OSError when the port is taken."""
    import uvicorn

    app = application(clients, read_only=read_only)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen()
    url = f"http://{HOST}:{listener.getsockname()[1]}/"
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    if ready is not None:
        ready(url)
    uvicorn.Server(config).run(sockets=[listener])
