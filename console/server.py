"""The console's web server: the page, JSON over the AWS API, and histories as they grow."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from console import audit, costs, executions, lake, queries, schedules, uploads, web, work
from console.aws import Clients, Target
from console.guard import UPLOAD_PATH, Guard, policy
from console.history import Histories, History, let_wait, preview
from console.page import STATIC, page

Json = dict[str, Any]

HOST = "127.0.0.1"
DEFAULT_PORT = 4580
EVENTS_A_MESSAGE = 500
KEEP_ALIVE_SECONDS = 15
GATHER_SECONDS = 0.02
READ_ONLY = "This console is read-only."


class Console:
    """The endpoints over one target."""

    def __init__(self, target: Target, *, read_only: bool = False) -> None:
        self.target = target
        self.read_only = read_only
        self.clients = Clients(target)
        self.histories = Histories()
        self.origins = executions.Origins()
        self.estimates = costs.Estimates()
        if target.is_local:
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
        }
        writes: dict[str, Callable[[Json], Any]] = {
            "start": self.start,
            "stop": self.stop,
            "redrive": self.redrive,
            "switch": lambda given: schedules.switch(self.clients, given),
            "preview": lambda given: lake.preview(
                self.clients("athena"), given["database"], given["table"]
            ),
            "plan": lambda given: queries.plan(self.clients("athena"), given["query"]),
        }
        asks: dict[str, Callable[[Json], Any]] = {
            "origins": self.origins_of,
            "estimates": self.estimates_of,
            "check": lambda given: {"problem": _json_problem(given["input"])},
        }
        return [
            *(Route(f"/api/{name}", web.reading(read)) for name, read in reads.items()),
            *(
                Route(f"/api/{name}", self._writing(write), methods=["POST"])
                for name, write in writes.items()
            ),
            *(
                Route(f"/api/{name}", web.posted(ask), methods=["POST"])
                for name, ask in asks.items()
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
        found = self._history(request).event(int(web.given(request, "id")))
        if found is None:
            raise web.Refused(404, f"No event {web.given(request, 'id')} in this history.")
        return found

    def work(self, request: Request) -> Json:
        history = self._history(request)
        task = work.task_of(history.events, int(web.given(request, "id")))
        if task is None:
            raise web.Refused(404, "No task was scheduled by this event.")
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
        history = self.histories.of(self.step_functions, web.given(request, "arn"))
        while True:
            history.look(self.target.poll_seconds)
            if history.caught_up:
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
                    every = await self.rest(history)

        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)

    async def rest(self, history: History) -> float:
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
        problem = _json_problem(given.get("input", "{}"))
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

    def _writing(self, act: Callable[[Json], Any]) -> Callable[[Request], Awaitable[Response]]:
        def refuse_or_act(given: Json) -> Any:
            if self.read_only:
                raise web.Refused(403, READ_ONLY)
            return act(given)

        return web.posted(refuse_or_act)


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


def _message(event: str, data: Any, number: int | None = None) -> str:
    identity = f"id: {number}\n" if number is not None else ""
    return f"event: {event}\n{identity}data: {web.text(data).decode()}\n\n"


def application(target: Target, *, read_only: bool = False) -> ASGIApp:
    """The console over `target`, as an ASGI application."""

    text = page()

    async def index(_: Request) -> Response:
        return HTMLResponse(text)

    console = Console(target, read_only=read_only)
    app = Starlette(
        routes=[
            Route("/", index),
            *console.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )
    return Guard(app, policy(text))


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
