"""One warm process with a function's handler in it, and one invocation at a time."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from localaws.core import scratch
from localaws.core.aws import LocalAws
from localaws.core.clock import machine_time
from localaws.core.runtime.installed import folders
from localaws.functions import interpreters, packages
from localaws.shapes import Json

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
NODE_BOOTSTRAP = BOOTSTRAP.with_suffix(".mjs")
# AWS gives the first import 10 s and then starts over; a busy laptop may be slower than that.
START_LIMIT_SECONDS = 60.0
RESPONSE_LIMIT_BYTES = 6 * 1024 * 1024
OVERHEAD_BYTES = 100  # AWS reports limits as 6 MB plus 100 bytes


@dataclass(frozen=True)
class Spec:
    """What a worker runs: one revision of one version of a function."""

    name: str
    version: str
    arn: str
    revision: str
    runtime: str
    handler: str
    folder: Path
    timeout_seconds: int
    memory_mb: int
    variables: dict[str, str]
    layers: list[str]
    log_group: str
    log_format: str
    log_level: str | None


@dataclass(frozen=True)
class Invocation:
    """One invocation."""

    id: str
    payload: bytes
    function_arn: str
    client_context: Json | None = None


@dataclass(frozen=True)
class WorkerResult:
    """What an invocation gave: the payload, or with `ok` False an error payload.

    `output` has the lines that the function wrote to stdout and stderr.
    """

    ok: bool
    payload: bytes
    output: list[str]
    duration_ms: float
    init_ms: float | None
    memory_mb: int
    alive: bool


class Died(Exception):
    """The process ended in the middle; `code` as subprocess gives it."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        what = f"signal: {-code}" if code is not None and code < 0 else f"exit status {code}"
        if code == -9:
            what = "signal: killed"
        super().__init__(f"Runtime exited with error: {what}")


class FunctionWorker:
    """A started process. `invoke` is called by one thread at a time."""

    def __init__(self, aws: LocalAws, spec: Spec) -> None:
        self.spec = spec
        self.stream = f"{time.strftime('%Y/%m/%d')}/[{spec.version}]{uuid.uuid4().hex}"
        self.log = aws.home.directory(f"functions/logs/{spec.name}") / f"{self.stream[-32:]}.log"
        self._read_to = 0
        self._scratch = scratch.make(aws.home, "fn")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._scratch / "s"))
            listener.listen(1)
            (self._scratch / "tmp").mkdir()
            self.process = aws.processes.start(
                f"lambda {spec.name}",
                self._command(str(self._scratch / "s")),
                env=self._environment(aws),
                cwd=spec.folder,
                log=self.log,
            )
            self._connection = self._accept(listener)
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise
        finally:
            listener.close()
        self._init_ms: float | None = None
        self._ready = False

    def _command(self, place: str) -> list[str]:
        """The runtime's process, which connects to the socket at `place`."""
        if interpreters.is_node(self.spec.runtime):
            return [self._interpreter(), str(NODE_BOOTSTRAP), place]
        allowed = ",".join(sorted(packages.allowed(self.spec.layers)))
        # -I -S: neither the caller's Python settings nor its packages get in.
        isolated = ("-I", "-S", "-X", "utf8")
        return [self._interpreter(), *isolated, str(BOOTSTRAP), place, folders(), allowed]

    def _interpreter(self) -> str:
        found = interpreters.interpreter(self.spec.runtime, layers=bool(self.spec.layers))
        if found is None:  # it was there when the function was made
            raise RuntimeError(interpreters.how_to_get(self.spec.runtime))
        return found

    def _environment(self, aws: LocalAws) -> dict[str, str]:
        """docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
        spec = self.spec
        base = aws.child_environment(spec.variables)
        reserved = {
            "_HANDLER": spec.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
            "AWS_LAMBDA_LOG_FORMAT": spec.log_format,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "LAMBDA_TASK_ROOT": str(spec.folder),
            "LAMBDA_RUNTIME_DIR": str(BOOTSTRAP.parent),
            "TMPDIR": str(self._scratch / "tmp"),
            "TZ": base.get("TZ") if "TZ" in spec.variables else ":UTC",
        }
        if spec.log_level:
            reserved["AWS_LAMBDA_LOG_LEVEL"] = spec.log_level
        return base | {name: value for name, value in reserved.items() if value is not None}

    def _accept(self, listener: socket.socket) -> socket.socket:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        listener.settimeout(0.1)
        while True:
            try:
                return listener.accept()[0]
            except TimeoutError:
                if not self.process.running():
                    raise Died(self.process.wait(0)) from None
                if time.monotonic() > deadline:
                    self.process.stop(0)
                    raise Died(self.process.wait(0)) from None

    def invoke(self, request: Invocation) -> WorkerResult:
        """Runs the handler once; after a timeout or a crash the process is gone."""
        init_ms: float | None = None
        began = time.perf_counter()
        try:
            if not self._ready:
                ready = json.loads(self._read(time.monotonic() + START_LIMIT_SECONDS))
                self._read(time.monotonic() + START_LIMIT_SECONDS)
                init_ms, self._ready = float(ready["init_ms"]), True
            began = time.perf_counter()
            ok, payload, memory_mb = self._exchange(request)
        except TimeoutError:
            self.process.stop(0)
            limit = float(self.spec.timeout_seconds)
            message = f"RequestId: {request.id} Error: Task timed out after {limit:.2f} seconds"
            ok, memory_mb = False, 0
            payload = error_payload("Sandbox.Timedout", message)
        except (Died, OSError) as problem:
            died = problem if isinstance(problem, Died) else Died(self.process.wait(1))
            self.process.stop(0)
            ok, memory_mb = False, 0
            payload = error_payload("Runtime.ExitError", f"RequestId: {request.id} Error: {died}")
        duration_ms = (time.perf_counter() - began) * 1000
        if ok and len(payload) > RESPONSE_LIMIT_BYTES + OVERHEAD_BYTES:
            ok = False
            payload = error_payload(
                "Function.ResponseSizeTooLarge",
                f"Response payload size ({len(payload)} bytes) exceeded maximum allowed payload "
                f"size ({RESPONSE_LIMIT_BYTES + OVERHEAD_BYTES} bytes).",
            )
        alive = self.process.running()
        return WorkerResult(ok, payload, self._output(), duration_ms, init_ms, memory_mb, alive)

    def _exchange(self, request: Invocation) -> tuple[bool, bytes, int]:
        limit = self.spec.timeout_seconds
        deadline = time.monotonic() + limit
        header = {
            "request_id": request.id,
            "function_arn": request.function_arn,
            "client_context": request.client_context,
            "deadline": machine_time() + limit,
        }
        head = json.dumps(header).encode()
        self._connection.settimeout(limit)
        self._connection.sendall(
            struct.pack(">I", len(head)) + head + struct.pack(">I", len(request.payload))
        )
        self._connection.sendall(request.payload)
        answer = json.loads(self._read(deadline))
        return bool(answer["ok"]), self._read(deadline), int(answer["memory_mb"])

    def _read(self, deadline: float) -> bytes:
        return self._read_exactly(struct.unpack(">I", self._read_exactly(4, deadline))[0], deadline)

    def _read_exactly(self, count: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            part = self._connection.recv(min(count - len(parts), 1 << 20))
            if not part:
                raise Died(self.process.wait(2))
            parts += part
        return bytes(parts)

    def _output(self) -> list[str]:
        """The lines written since the last look."""
        with self.log.open("rb") as log:
            log.seek(self._read_to)
            fresh = log.read()
        self._read_to += len(fresh)
        return fresh.decode("utf-8", "replace").splitlines()

    def stop(self) -> None:
        """Ends the process."""
        self._connection.close()
        self.process.stop(0.5)
        shutil.rmtree(self._scratch, ignore_errors=True)


def error_payload(kind: str, message: str) -> bytes:
    """An error that did not come from the function's own code."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
