"""The Lambda runtime inside a worker process: import the handler once, then answer invocations.

Run as `python -I -S bootstrap.py <socket> <site-packages> <allowed>`; nothing of localaws is
imported, so that the function sees only what the Lambda Python runtime (and its layers) would
give it. Each message is two frames, every frame a 4-byte big-endian length and as many bytes: a
JSON header, then a JSON payload. Errors are shaped as AWS's Python runtime shapes them
(docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html).
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

Handler = Callable[[Any, Any], Any]


def read_frame(connection: socket.socket) -> bytes | None:
    """The next frame's bytes, or None when the other side has closed."""
    head = _read_exactly(connection, 4)
    return None if head is None else _read_exactly(connection, struct.unpack(">I", head)[0])


def _read_exactly(connection: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def write_message(connection: socket.socket, header: dict[str, Any], payload: bytes) -> None:
    """Send one message: `header` as JSON, then `payload` as it is."""
    head = json.dumps(header).encode()
    connection.sendall(
        struct.pack(">I", len(head)) + head + struct.pack(">I", len(payload)) + payload
    )


class Identity:
    """`context.identity`: empty, there is no Cognito caller."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class Context:
    """What a handler gets as its second argument."""

    def __init__(self, header: dict[str, Any]) -> None:
        self.aws_request_id: str = header["request_id"]
        self.invoked_function_arn: str = header["function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = header.get("client_context")
        self.identity = Identity()
        self._deadline: float = header["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until this invocation is killed."""
        return max(0, int((self._deadline - time.time()) * 1000))


class RequestId(logging.Filter):
    """Puts the current request id on every log record."""

    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.current
        return True


class JsonFormat(logging.Formatter):
    """Log records as Lambda writes them with LogFormat JSON."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": getattr(record, "aws_request_id", ""),
        }
        if record.exc_info and record.exc_info[0]:
            entry["stackTrace"] = traceback.format_tb(record.exc_info[2])
            entry["errorType"] = record.exc_info[0].__name__
            entry["errorMessage"] = str(record.exc_info[1])
        return json.dumps(entry)


def set_up_logging() -> RequestId:
    """The root handler as the runtime installs it; level WARNING unless the configuration says."""
    request_id = RequestId()
    handler = logging.StreamHandler(sys.stdout)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JsonFormat())
    else:
        text = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s",
            "%Y-%m-%dT%H:%M:%S",
        )
        text.converter = time.gmtime
        handler.setFormatter(text)
    handler.addFilter(request_id)
    logging.root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL")
    if level:
        # Lambda says FATAL and TRACE where logging says CRITICAL and has no name.
        logging.root.setLevel({"FATAL": "CRITICAL", "TRACE": "DEBUG"}.get(level, level))
    return request_id


def error(kind: str, message: str, request_id: str, stack: list[str] | None = None) -> bytes:
    """An error payload."""
    body = {
        "errorMessage": message,
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": stack or [],
    }
    return json.dumps(body).encode()


def load_handler(handler: str) -> tuple[Handler | None, tuple[str, str, list[str]] | None]:
    """The function `module.name`, or the error (type, message, stack) that AWS reports instead."""
    module_name, dot, name = handler.rpartition(".")
    if not dot or not module_name:
        return None, (
            "Runtime.MalformedHandlerName",
            f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)",
            [],
        )
    module_name = module_name.replace("/", ".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as problem:
        return None, (
            "Runtime.ImportModuleError",
            f"Unable to import module '{module_name}': {problem}",
            [],
        )
    except SyntaxError as problem:
        return None, (
            "Runtime.UserCodeSyntaxError",
            f"Syntax error in module '{module_name}': {problem}",
            [
                f'  File "{as_on_aws(problem.filename or "")}" Line {problem.lineno}\n'
                f"    {problem.text or ''}"
            ],
        )
    except Exception as problem:
        return None, (type(problem).__name__, str(problem), stack_of(problem, skip=1))
    found = getattr(module, name, None)
    if found is None:
        return None, (
            "Runtime.HandlerNotFound",
            f"Handler '{name}' missing on module '{module_name}'",
            [],
        )
    return found, None


def stack_of(problem: BaseException, skip: int) -> list[str]:
    """The traceback as a list of strings, without our own first `skip` frames."""
    frames = traceback.extract_tb(problem.__traceback__)[skip:]
    own = [frame for frame in frames if "importlib" not in frame.filename]
    return [as_on_aws(line) for line in traceback.format_list(own)]


def as_on_aws(text: str) -> str:
    """The text with the folder of the function's code as AWS has it."""
    return text.replace(os.environ["LAMBDA_TASK_ROOT"] + os.sep, "/var/task/")


def invoke(handler: Handler, header: dict[str, Any], payload: bytes) -> tuple[bool, bytes]:
    """(went well, JSON bytes of the result or of the error)."""
    request_id: str = header["request_id"]
    try:
        event = json.loads(payload or b"{}")
    except ValueError as problem:
        return False, error(
            "Runtime.UnmarshalError", f"Unable to unmarshal input: {problem}", request_id
        )
    try:
        result = handler(event, Context(header))
    except Exception as problem:
        stack = stack_of(problem, skip=1)
        kind = type(problem).__name__
        print(f"[ERROR] {kind}: {problem}\nTraceback (most recent call last):\n" + "".join(stack))
        return False, error(kind, str(problem), request_id, stack)
    if isinstance(result, bytes):
        return True, result  # it is the response as it is, as AWS recorded it
    try:
        return True, json.dumps(result, ensure_ascii=False, default=plain).encode()
    except (TypeError, ValueError) as problem:
        return False, error(
            "Runtime.MarshalError", f"Unable to marshal response: {problem}", request_id
        )


def plain(value: Any) -> str:
    """Bytes are UTF-8 text in the response, as AWS's runtime has it; nothing else is added."""
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def memory_mb() -> int:
    """The most memory this process has held, in MB."""
    try:
        # Not getrusage: on Linux its maximum includes the server's, from before the exec.
        with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib costs start time
            peak = next(line for line in status if line.startswith("VmHWM:"))
        return int(peak.split()[1]) // 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20


def main(socket_path: str, folders: str, allowed: str) -> None:
    """Connect, load, and answer until the other side closes."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "core" / "runtime"))
    from runtime_packages import install  # type: ignore[import-not-found]

    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    install(folders, allowed)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(socket_path)
    connection.set_inheritable(False)
    request_id = set_up_logging()
    began = time.perf_counter()
    handler, problem = load_handler(os.environ["_HANDLER"])
    ready = {"ready": True, "init_ms": round((time.perf_counter() - began) * 1000, 2)}
    write_message(connection, ready, b"")
    while True:
        head = read_frame(connection)
        payload = read_frame(connection) if head is not None else None
        if head is None or payload is None:
            return
        header = json.loads(head)
        request_id.current = header["request_id"]
        if handler is None:
            kind, message, stack = problem or ("Runtime.Unknown", "no handler", [])
            print(f"[ERROR] {kind}: {message}")
            ok, answer = False, error(kind, message, header["request_id"], stack)
        else:
            ok, answer = invoke(handler, header, payload)
        sys.stdout.flush()
        sys.stderr.flush()
        write_message(connection, {"ok": ok, "memory_mb": memory_mb()}, answer)
        if handler is None:
            return  # as on AWS, the next invocation tries to initialise again


if __name__ == "__main__":
    main(*sys.argv[1:])
