"""One running model server and the connections to it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from localaws.core import scratch
from localaws.core.aws import LocalAws
from localaws.core.log_shipping import LogShipper
from localaws.core.processes import told
from localaws.errors import AwsError
from localaws.identity.caller import Caller
from localaws.s3.names import split_uri
from localaws.sagemaker import archives, images
from localaws.sagemaker.models import CODE_IN_MODEL
from localaws.sagemaker.principals import join_network, pull
from localaws.sagemaker.tail import Tail
from localaws.shapes import Json

START_LIMIT_SECONDS = 120.0
ANSWER_LIMIT_SECONDS = 60.0  # docs.aws.amazon.com/sagemaker: containers must answer within 60 s
LOG_POLL_SECONDS = 0.5
REASON_LINES = 3


class NotServing(Exception):
    """The server did not come up, or is gone."""


@dataclass(frozen=True)
class Serves:
    """What a model server is for: an endpoint's variant or a transform job."""

    title: str
    log_group: str
    stream: str


@dataclass(frozen=True)
class Served:
    """What the container answered."""

    status: int
    body: bytes
    content_type: str


class ModelProcess:
    """A model server's process. Each request has a connection of its own while it lasts."""

    def __init__(
        self, aws: LocalAws, logs: LogShipper, serves: Serves, folder: Path, container: Json
    ) -> None:
        self.variant = serves.stream
        self._scratch = scratch.make(aws.home, "ep")
        self._socket = str(self._scratch / "s")
        self._log = folder / "server.log"
        self._free: list[socket.socket] = []
        self._active = 0
        self._changed = threading.Condition()
        tail = Tail(self._log)
        variables = container.get("Environment", {})
        module = str(variables.get("SAGEMAKER_PROGRAM", "")).removesuffix(".py")
        model, code = folder / "model", folder / "code"
        self.process = aws.processes.start(
            serves.title,
            images.command("serve", self._socket, str(model), str(code), module),
            env=aws.child_environment(
                variables | {"SM_MODEL_DIR": str(model), "SM_MODULE_NAME": module}
            ),
            cwd=code,
            log=self._log,
        )
        threading.Thread(
            target=self._ship,
            args=(aws.caller, logs, serves.log_group, tail),
            name=f"log of {serves.title}",
            daemon=True,
        ).start()

    def _ship(self, caller: Caller, logs: LogShipper, group: str, tail: Tail) -> None:
        """Sends the server's output to its log group until it ends."""
        stream = f"{self.variant}/i-{self._scratch.name[-8:]}"
        while True:
            ended = self.process.wait(LOG_POLL_SECONDS) is not None
            logs.send(caller, group, stream, tail.lines(last=ended))
            if ended:
                return

    def wait_until_serving(self, limit_seconds: float = START_LIMIT_SECONDS) -> None:
        """Returns when /ping answers 200. NotServing, with the last output, if it never does."""
        deadline = time.monotonic() + limit_seconds
        while time.monotonic() < deadline:
            if not self.process.running():
                raise NotServing(self._last_output())
            try:
                if self.request("GET", "/ping").status == 200:
                    return
            except (NotServing, OSError):
                time.sleep(0.02)
        raise NotServing(f"no answer to /ping within {limit_seconds:.0f} seconds")

    def _last_output(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        code = told(self.process.wait(0))
        return f"exit code {code}: " + " | ".join(line.strip() for line in lines[-REASON_LINES:])

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.running()

    def invoke(self, body: bytes, headers: dict[str, str]) -> Served:
        """POST /invocations. NotServing if nothing was sent, OSError if it broke off later."""
        return self.request("POST", "/invocations", body, headers)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Served:
        """One HTTP request on a kept connection."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        with self._connection() as connection:
            connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            return read_answer(connection)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        with self._changed:
            connection = self._free.pop() if self._free else None
        if connection is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(ANSWER_LIMIT_SECONDS)
            try:
                connection.connect(self._socket)
            except OSError as problem:
                connection.close()
                raise NotServing(str(problem)) from problem
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._changed:
            self._free.append(connection)

    def hold(self) -> None:
        """Makes `stop` wait for `release`; called under the lock that guards who is current."""
        with self._changed:
            self._active += 1

    def release(self) -> None:
        """Ends one `hold`."""
        with self._changed:
            self._active -= 1
            self._changed.notify_all()

    def stop(self, drain_seconds: float = ANSWER_LIMIT_SECONDS) -> None:
        """Waits for requests under way, then ends the process."""
        with self._changed:
            self._changed.wait_for(lambda: self._active == 0, drain_seconds)
            free, self._free = self._free, []
        for connection in free:
            connection.close()
        self.process.stop(1.0)
        shutil.rmtree(self._scratch, ignore_errors=True)


def unpack(role: LocalAws, container: Json, folder: Path, network: Json | None = None) -> None:
    """The model and its code, as the container would have them, in `folder`; `network` is the
    model's VpcConfig. NotServing."""
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    variables = container.get("Environment", {})
    source = variables.get("SAGEMAKER_SUBMIT_DIRECTORY", "").removeprefix("file://")
    try:
        pull(role, container["Image"])
        join_network(role, network)
        data = role.objects.path(*split_uri(container["ModelDataUrl"]))
        archives.unpack(data, fresh / "model")
        if not source:
            (fresh / "code").mkdir()
        elif f"{source}/".startswith(CODE_IN_MODEL):
            shutil.copytree(fresh / "model" / source[len(CODE_IN_MODEL) :], fresh / "code")
        else:
            archives.unpack(role.objects.path(*split_uri(source)), fresh / "code")
    except (AwsError, ValueError, OSError) as problem:
        raise NotServing(f"Failed to download model data: {problem}") from problem
    fresh.rename(folder)


def read_answer(connection: socket.socket) -> Served:
    """An HTTP answer with a Content-Length."""
    data = bytearray()
    while (end := data.find(b"\r\n\r\n")) < 0:
        part = connection.recv(1 << 16)
        if not part:
            raise ConnectionResetError("the container closed the connection")
        data += part
    first, *lines = bytes(data[:end]).split(b"\r\n")
    headers = {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}
    length = int(headers[b"content-length"])
    while len(data) < end + 4 + length:
        part = connection.recv(1 << 20)
        if not part:
            raise ConnectionResetError("the container closed the connection")
        data += part
    status = int(first.split(b" ", 2)[1])
    kind = headers.get(b"content-type", b"").decode("latin-1")
    return Served(status, bytes(data[end + 4 :]), kind)
