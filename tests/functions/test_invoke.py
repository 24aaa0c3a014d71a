"""What a caller of Lambda sees, with real handler processes."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import start
from localaws.core.clock import Clock
from localaws.functions import api as functions
from localaws.functions import interpreters
from localaws.s3 import api as s3
from tests.functions.conftest import Answer, create, invoke, package
from tests.threads import on_threads

Run = Callable[..., Answer]
LAYER = "arn:aws:lambda:us-east-1:336392948345:layer:AWSSDKPandas-Python311:22"


def test_a_handler_does_not_get_all_memory(run: Run) -> None:
    """It is refused, and goes before the server should the machine run out all the same."""
    code = """
import os
def handler(event, context):
    with open("/proc/self/oom_score_adj") as score:
        first = score.read().strip()
    most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        bytearray(int(most * 0.7))
    except MemoryError:
        return first, "refused"
"""
    assert run(code) == (None, ["1000", "refused"])


def test_a_handler_gets_its_event_and_its_context(run: Run) -> None:
    code = """
def handler(event, context):
    left = context.get_remaining_time_in_millis()
    return {"event": event, "name": context.function_name, "memory": context.memory_limit_in_mb,
            "arn": context.invoked_function_arn, "in_time": 0 < left <= 5000,
            "id": len(context.aws_request_id)}
"""
    assert run(code, {"a": [1, "ü"]}, Timeout=5, MemorySize=256) == (
        None,
        {
            "event": {"a": [1, "ü"]},
            "name": "f",
            "memory": "256",
            "arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "in_time": True,
            "id": 36,
        },
    )


def test_the_environment_is_the_functions_own(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    code = """
import os
def handler(event, context):
    return dict(os.environ)
"""
    error, variables = run(code, Environment={"Variables": {"ENDPOINT_NAME": "live"}})
    assert error is None
    assert variables["ENDPOINT_NAME"] == "live"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "f"
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert "SECRET_OF_THE_HOST" not in variables


def test_a_process_stays_warm_and_new_code_or_configuration_replaces_it(aws: Any) -> None:
    code = """
import os
calls = []
def handler(event, context):
    calls.append(1)
    return [VERSION, os.environ.get("X"), len(calls)]
"""
    create(aws, "f", "VERSION = 1" + code)
    assert invoke(aws, "f") == (None, [1, None, 1])
    assert invoke(aws, "f") == (None, [1, None, 2])
    client = aws.client("lambda")
    client.update_function_code(FunctionName="f", ZipFile=package("VERSION = 2" + code))
    assert invoke(aws, "f") == (None, [2, None, 1])
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"X": "y"}})
    assert invoke(aws, "f") == (None, [2, "y", 1])


def test_an_exception_comes_back_as_the_python_runtime_shapes_it(run: Run) -> None:
    code = """
class OutOfStock(Exception):
    pass
def handler(event, context):
    raise OutOfStock("no bananas")
"""
    error, payload = run(code)
    assert error == "Unhandled"
    assert payload["errorType"] == "OutOfStock"
    assert payload["errorMessage"] == "no bananas"
    assert len(payload["requestId"]) == 36
    assert len(payload["stackTrace"]) == 1
    assert payload["stackTrace"] == [
        '  File "/var/task/index.py", line 5, in handler\n    raise OutOfStock("no bananas")\n'
    ]


@pytest.mark.parametrize(
    ("result", "answer"), [('{"a": "é".encode()}', {"a": "é"}), ("b'\"Hello\"'", "Hello")]
)
def test_bytes_are_the_response_and_text_within_one(run: Run, result: str, answer: object) -> None:
    assert run(f"def handler(e, c): return {result}") == (None, answer)


def test_a_runtime_runs_in_an_interpreter_of_its_own_version(run: Run) -> None:
    found = [
        n for n in interpreters.PYTHONS if n != interpreters.OWN and interpreters.interpreter(n)
    ]
    if not found:
        pytest.skip("no other Python is installed on this machine")
    code = """
import sys, os, boto3
def handler(event, context):
    return ["python%d.%d" % sys.version_info[:2], os.environ["AWS_EXECUTION_ENV"]]
"""
    assert run(code, Runtime=found[-1]) == (None, [found[-1], f"AWS_Lambda_{found[-1]}"])


def test_a_runtime_whose_interpreter_is_missing_is_refused_with_how_to_get_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "interpreter", lambda name: None)
    with pytest.raises(
        ClientError, match=r"no python3\.14 on this machine .*uv python install 3\.14"
    ):
        run("def handler(e, c): pass", Runtime="python3.14")


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (
            "import nothing_like_it",
            "Runtime.ImportModuleError",
            "No module named 'nothing_like_it'",
        ),
        ("def other(): pass", "Runtime.HandlerNotFound", "Handler 'handler' missing on module"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
        ("raise ValueError('early')", "ValueError", "early"),
        ("def handler(e, c): return {1, 2}", "Runtime.MarshalError", "not JSON serializable"),
        ("def handler(e, c):\n import os; os._exit(3)", "Runtime.ExitError", "exit status 3"),
    ],
)
def test_what_cannot_run_says_why(run: Run, code: str, kind: str, message: str) -> None:
    error, payload = run(code)
    assert error == "Unhandled"
    assert payload["errorType"] == kind
    assert message in payload["errorMessage"]


def test_a_timeout_ends_the_process(aws: Any, tmp_path: Path) -> None:
    trace = tmp_path / "pid"
    code = f"""
import os, time, pathlib
def handler(event, context):
    if event == "quick": return "back"
    pathlib.Path({str(trace)!r}).write_text(str(os.getpid()))
    time.sleep(600)
"""
    create(aws, "f", code, Timeout=2)
    began = time.monotonic()
    error, payload = invoke(aws, "f")
    assert time.monotonic() - began >= 2
    assert error == "Unhandled"
    assert payload["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert invoke(aws, "f", "quick") == (None, "back")
    deadline = time.monotonic() + 60
    while Path(f"/proc/{trace.read_text()}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_packages_that_lambda_does_not_have_are_not_there(aws: Any) -> None:
    code = "import {0}\ndef handler(e, c): return {0}.__name__"
    create(aws, "plain", code.format("boto3"))
    create(aws, "model", code.format("xgboost"))
    create(aws, "bare", code.format("awswrangler"))
    create(aws, "layered", code.format("awswrangler"), Layers=[LAYER], Timeout=60)
    assert invoke(aws, "plain") == (None, "boto3")
    assert "No module named 'xgboost'" in invoke(aws, "model")[1]["errorMessage"]
    assert "No module named 'awswrangler'" in invoke(aws, "bare")[1]["errorMessage"]
    assert invoke(aws, "layered") == (None, "awswrangler")


def meeting(folder: Path) -> str:
    """A function's code that answers its process when three are at work at once."""
    place = folder / "meeting"
    place.mkdir()
    return f"""
import os, time, pathlib
def handler(event, context):
    place = pathlib.Path({str(place)!r})
    (place / str(os.getpid())).touch()
    while event != "alone" and len(list(place.iterdir())) < 3:
        time.sleep(0.01)
    return os.getpid()
"""


def test_calls_at_the_same_time_get_processes_of_their_own(aws: Any, tmp_path: Path) -> None:
    create(aws, "f", meeting(tmp_path), Timeout=60)
    pids: list[Any] = []
    threads = [threading.Thread(target=lambda: pids.append(invoke(aws, "f")[1])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 3


def test_reserved_concurrency_throttles(aws: Any) -> None:
    create(aws, "f", "def handler(e, c): return 1")
    aws.client("lambda").put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as caught:
        invoke(aws, "f")
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_the_log_tail_and_the_log_group_have_what_was_printed(aws: Any) -> None:
    code = """
import logging
def handler(event, context):
    print("hello")
    logging.getLogger().warning("careful")
"""
    create(aws, "f", code)
    answer = aws.client("lambda").invoke(FunctionName="f", LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "START RequestId: " in tail
    assert "\nhello\n[WARNING]\t" in tail
    assert "\tcareful\nEND RequestId: " in tail
    assert "Memory Size: 128 MB" in tail
    service = aws.gateway.services.get("logs")
    if service is not None:
        aws.logs.flush()
        events = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
        assert "hello" in [event["message"] for event in events]


def test_an_asynchronous_failure_is_tried_three_times(aws: Any, tmp_path: Path) -> None:
    trace = tmp_path / "calls"
    code = f"""
def handler(event, context):
    with open({str(trace)!r}, "a") as f: f.write(context.aws_request_id + event["x"] + "\\n")
    raise ValueError
"""
    create(aws, "f", code)
    answer = aws.client("lambda").invoke(
        FunctionName="f", InvocationType="Event", Payload=json.dumps({"x": "!"})
    )
    assert answer["StatusCode"] == 202
    deadline = time.monotonic() + 60
    while aws.documents.items("lambda-event") and time.monotonic() < deadline:
        time.sleep(0.02)
    lines = trace.read_text().splitlines()
    assert len(lines) == 3
    assert len(set(lines)) == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (
            {"FunctionName": "f", "Payload": b'"' + b"x" * ((6 << 20) + 100) + b'"'},
            "RequestTooLarge",
        ),
        ({"FunctionName": "f", "Payload": b"{no"}, "InvalidRequestContent"),
        ({"FunctionName": "g"}, "ResourceNotFound"),
        ({"FunctionName": "f", "Qualifier": "7"}, "ResourceNotFound"),
    ],
)
def test_a_bad_invocation_has_awss_error(aws: Any, arguments: dict[str, Any], code: str) -> None:
    create(aws, "f", "def handler(e, c): return 1")
    with pytest.raises(ClientError) as caught:
        aws.client("lambda").invoke(**arguments)
    assert caught.value.response["Error"]["Code"] == code + "Exception"


def test_a_response_over_6_mb_is_an_error(run: Run) -> None:
    error, payload = run("def handler(e, c): return 'x' * (6 * 1024 * 1024 + 200)", Timeout=10)
    assert error == "Unhandled"
    assert payload["errorType"] == "Function.ResponseSizeTooLarge"


class MovedClock(Clock):
    """A clock that a test moves on."""

    moved_seconds = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.moved_seconds


def test_workers_that_nobody_needs_end_after_ten_minutes(tmp_path: Path) -> None:
    clock = MovedClock()
    aws = start(tmp_path / "home", [s3.service, functions.service], clock=clock)
    create(aws, "f", meeting(tmp_path), Timeout=60)
    pids: list[int] = []
    on_threads(3, lambda _: pids.append(invoke(aws, "f")[1]))
    assert len(set(pids)) == 3

    clock.moved_seconds = 599.0
    warm = invoke(aws, "f", "alone")[1]
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    clock.moved_seconds = 1202.0
    invoke(aws, "f", "alone")
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == [warm]
    aws.stop()
