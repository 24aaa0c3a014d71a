"""Functions, their versions and aliases as documents, and how an invocation reaches a worker."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from localaws.core import scratch
from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from localaws.functions.code import CodeStore
from localaws.functions.pool import Pool
from localaws.functions.worker import OVERHEAD_BYTES, Invocation, Spec, WorkerResult
from localaws.shapes import Json

FUNCTION = "lambda-function"  # documents: name -> {configuration, sha256, tags, reserved, ...}
VERSION = "lambda-version"  # "name:number" -> the same, frozen
ALIAS = "lambda-alias"  # "name:alias"
EVENT = "lambda-event"  # asynchronous invocations not yet done
LATEST = "$LATEST"
LAMBDA = "lambda.amazonaws.com"

# docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
SYNCHRONOUS_LIMIT_BYTES = 6 * 1024 * 1024
ASYNCHRONOUS_LIMIT_BYTES = 1024 * 1024
# docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
RETRY_SECONDS = (60.0, 120.0)
TAIL_BYTES = 4096

NAME = re.compile(
    r"(?:(?:arn:aws[a-z-]*:lambda:)?(?:[a-z0-9-]+:)?(?:\d{12}:)?function:|\d{12}:function:)?"
    r"(?P<name>[a-zA-Z0-9_-]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
)


@dataclass(frozen=True)
class InvokeResponse:
    """What the caller of Invoke gets back."""

    status: int
    payload: bytes
    version: str
    function_error: str | None = None
    log_tail: str | None = None


class Functions:
    """All functions of this AWS."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.code = CodeStore(aws)
        self._pools: dict[str, Pool] = {}
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()

    # -- what there is -------------------------------------------------------------------------

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """The function's ARN, of a version or alias when `qualifier` is given."""
        tail = f":{qualifier}" if qualifier else ""
        return f"arn:aws:lambda:{self.aws.region}:{self.aws.account}:function:{name}{tail}"

    def resolve(self, given: str, qualifier: str | None = None) -> tuple[str, str, Json]:
        """(name, version, document) for a name, partial ARN or ARN, and a version or alias."""
        name, inner = split_name(given)
        qualifier = qualifier or inner
        document = self.aws.documents.get(FUNCTION, name)
        if document is None:
            raise not_found(self.arn(name, qualifier))
        if qualifier in (None, LATEST):
            return name, LATEST, document
        version = str(qualifier)
        if not version.isdigit():
            alias = self.aws.documents.get(ALIAS, f"{name}:{version}")
            if alias is None:
                raise not_found(self.arn(name, version))
            version = alias["FunctionVersion"]
            if version == LATEST:
                return name, LATEST, document
        frozen = self.aws.documents.get(VERSION, f"{name}:{version}")
        if frozen is None:
            raise not_found(self.arn(name, version))
        return name, version, frozen

    def get(self, given: str) -> tuple[str, Json]:
        """(name, document of $LATEST)."""
        name, _, document = self.resolve(split_name(given)[0])
        return name, document

    @contextlib.contextmanager
    def changing(self, given: str) -> Iterator[Json]:
        """The document of $LATEST, written back when the block ends well."""
        name, _ = split_name(given)
        with self.aws.documents.changing(FUNCTION, name, not_found(self.arn(name))) as document:
            yield document

    def role(self, name: str, configuration: Json) -> LocalAws:
        """The AWS as the function's execution role sees it."""
        return self.aws.acting_as_role(configuration["Role"], name, LAMBDA, self.arn(name))

    # -- invocation ----------------------------------------------------------------------------

    def invoke(
        self,
        given: str,
        payload: bytes,
        qualifier: str | None = None,
        client_context: Json | None = None,
        request_id: str | None = None,
    ) -> InvokeResponse:
        """Runs the function and waits for it; errors of the function are in the answer."""
        name, version, document = self.resolve(given, qualifier or split_name(given)[1] or LATEST)
        check_payload(payload, SYNCHRONOUS_LIMIT_BYTES, "RequestResponse")
        called = qualifier or split_name(given)[1]
        request = Invocation(
            request_id or str(uuid.uuid4()), payload, self.arn(name, called), client_context
        )
        latest = self.aws.documents.get(FUNCTION, name) or document
        with self._admitted(name, latest.get("reserved")):
            outcome, stream = self._pool(name, version, document).invoke(request)
        lines = report(request, version, document["configuration"], outcome)
        configuration = document["configuration"]
        self.aws.logs.send(
            self.role(name, configuration).caller, log_group(configuration), stream, lines
        )
        tail = "\n".join(lines).encode()[-TAIL_BYTES:]
        return InvokeResponse(
            200,
            outcome.payload,
            version,
            None if outcome.ok else "Unhandled",
            base64.b64encode(tail).decode(),
        )

    @contextlib.contextmanager
    def _admitted(self, name: str, reserved: int | None) -> Iterator[None]:
        """Counts the function's invocations, all versions together, against its reservation."""
        with self._lock:
            if reserved is not None and self._busy[name] >= reserved:
                raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429)
            self._busy[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[name] -= 1

    def invoke_later(
        self, given: str, payload: bytes, qualifier: str | None = None
    ) -> InvokeResponse:
        """Accepts an asynchronous invocation: on disk before the answer, retried twice."""
        _, version, _ = self.resolve(given, qualifier)
        check_payload(payload, ASYNCHRONOUS_LIMIT_BYTES, "Event")
        event: Json = {
            "function": given,
            "qualifier": qualifier,
            "payload": payload.decode(),
            "attempt": 0,
            "request_id": str(uuid.uuid4()),
        }
        self.aws.documents.put(EVENT, event["request_id"], event)
        self._deliver(event)
        return InvokeResponse(202, b"", version)

    def _deliver(self, event: Json) -> None:
        threading.Thread(
            target=self._deliver_all, args=(event,), name="lambda-event", daemon=True
        ).start()

    def _deliver_all(self, event: Json) -> None:
        """Tries until it works or the attempts are used up; then the event is dropped."""
        key = event["request_id"]
        while not self.aws.stopping.is_set():
            try:
                answer = self.invoke(
                    event["function"],
                    event["payload"].encode(),
                    event["qualifier"],
                    request_id=key,
                )
                failed = answer.function_error is not None
            except AwsError as problem:
                if problem.code == "ResourceNotFoundException":
                    break
                failed = True
            if self.aws.stopping.is_set():
                return  # an invocation cut off by the shutdown is repeated at the next start
            if not failed or event["attempt"] >= len(RETRY_SECONDS):
                break
            wait = RETRY_SECONDS[event["attempt"]] * self.aws.clock.wait_scale
            event["attempt"] += 1
            self.aws.documents.put(EVENT, key, event)
            if self.aws.clock.sleep(wait, self.aws.stopping):
                return
        self.aws.documents.delete(EVENT, key)

    def start(self) -> None:
        """Takes up the asynchronous invocations that an earlier server had accepted."""
        scratch.sweep(self.aws.home, "fn")
        for _, event in self.aws.documents.items(EVENT):
            self._deliver(event)

    def stop(self) -> None:
        """Ends every worker."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.retire()

    # -- workers -------------------------------------------------------------------------------

    def _pool(self, name: str, version: str, document: Json) -> Pool:
        key = f"{name}:{version}"
        configuration = document["configuration"]
        revision = configuration["RevisionId"]
        with self._lock:
            pool = self._pools.get(key)
            if pool is not None and pool.spec.revision == revision:
                return pool
            self._pools[key] = fresh = Pool(
                self.role(name, configuration), self._spec(name, version, document)
            )
        if pool is not None:
            pool.retire()
        return fresh

    def forget(self, name: str) -> None:
        """Ends the workers of every version of the function."""
        with self._lock:
            keys = [key for key in self._pools if key.split(":")[0] == name]
            pools = [self._pools.pop(key) for key in keys]
        for pool in pools:
            pool.retire()

    def _spec(self, name: str, version: str, document: Json) -> Spec:
        configuration = document["configuration"]
        logging = configuration["LoggingConfig"]
        return Spec(
            name=name,
            version=version,
            arn=configuration["FunctionArn"],
            revision=configuration["RevisionId"],
            runtime=configuration["Runtime"],
            handler=configuration["Handler"],
            folder=self.code.folder(document["sha256"]),
            timeout_seconds=configuration["Timeout"],
            memory_mb=configuration["MemorySize"],
            variables=configuration.get("Environment", {}).get("Variables", {}),
            layers=[layer["Arn"] for layer in configuration.get("Layers", [])],
            log_group=log_group(configuration),
            log_format=logging["LogFormat"],
            log_level=logging.get("ApplicationLogLevel"),
        )


def split_name(given: str) -> tuple[str, str | None]:
    """(function name, qualifier or None) of a name, partial ARN or ARN."""
    match = NAME.fullmatch(given)
    if match is None:
        raise AwsError(
            "ValidationException",
            f"FunctionName {given!r} is not a function name, name:qualifier or function ARN.",
        )
    return match["name"], match["qualifier"]


def not_found(arn: str) -> AwsError:
    """The error for a function, version or alias that is not there."""
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)


def log_group(configuration: Json) -> str:
    """Where the function's lines go."""
    group: str = configuration["LoggingConfig"]["LogGroup"]
    return group


def check_payload(payload: bytes, limit: int, kind: str) -> None:
    """RequestTooLargeException beyond the limit, InvalidRequestContentException if not JSON."""
    if len(payload) > limit + OVERHEAD_BYTES:
        raise AwsError(
            "RequestTooLargeException",
            f"{len(payload)} byte payload is too large for the {kind} invocation type "
            f"(limit {limit} bytes)",
            413,
        )
    if payload:
        try:
            json.loads(payload)
        except ValueError as problem:
            raise AwsError(
                "InvalidRequestContentException",
                f"Could not parse request body into json: {problem}",
            ) from problem


def report(
    request: Invocation, version: str, configuration: Json, outcome: WorkerResult
) -> list[str]:
    """The log lines of one invocation, with the platform's own around the function's."""
    limit = configuration["MemorySize"]
    duration = outcome.duration_ms
    numbers = (
        f"Duration: {duration:.2f} ms\tBilled Duration: {int(duration) + 1} ms\t"
        f"Memory Size: {limit} MB\tMax Memory Used: {outcome.memory_mb} MB"
    )
    if outcome.init_ms is not None:
        numbers += f"\tInit Duration: {outcome.init_ms:.2f} ms"
    lines = [f"START RequestId: {request.id} Version: {version}", *outcome.output]
    if not outcome.ok and not outcome.alive and outcome.payload:
        lines.append(json.loads(outcome.payload)["errorMessage"])
    if outcome.memory_mb > limit:
        lines.append(
            f"localaws: {outcome.memory_mb} MB used, MemorySize is {limit} MB; on AWS this "
            "invocation would have been killed."
        )
    return [*lines, f"END RequestId: {request.id}", f"REPORT RequestId: {request.id}\t{numbers}"]
