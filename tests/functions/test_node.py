"""Functions in Node.js, where this machine has it."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import LocalAws, start
from localaws.functions import api, interpreters
from localaws.logs.api import service as logs
from tests.functions.conftest import ROLE, Answer, invoke

FOUND = next((name for name in interpreters.NODES if interpreters.interpreter(name)), None)
pytestmark = pytest.mark.skipif(FOUND is None, reason="no Node.js is installed on this machine")
Run = Callable[..., Answer]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    aws = start(tmp_path / "home", [logs, api.service])
    yield aws
    aws.stop()


def made(local: LocalAws, files: dict[str, str], **more: Any) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, code in files.items():
            archive.writestr(name, code)
    given = {"Handler": "index.handler", "Role": ROLE, **more}
    local.client("lambda").create_function(
        FunctionName="f", Runtime=FOUND, Code={"ZipFile": data.getvalue()}, **given
    )


@pytest.fixture
def run(local: LocalAws) -> Run:
    """Creates a function of index.js (or of the files given) and invokes it once."""

    def once(code: str | dict[str, str], event: object = None, **more: Any) -> Answer:
        made(local, {"index.js": code} if isinstance(code, str) else code, **more)
        return invoke(local, "f", event)

    return once


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"index.js": "exports.handler = async (event) => ({ got: event })"}, "index.handler"),
        ({"index.mjs": "export const handler = async (event) => ({ got: event })"},
         "index.handler"),
        ({"package.json": '{"type": "module"}',
          "index.js": "export const handler = async (event) => ({ got: event })"},
         "index.handler"),
        ({"src/app.js": "exports.all = { run: (e, c, done) => done(null, { got: e }) }"},
         "src/app.all.run"),
        ({"index.js": "exports.handler = (e, c) => { setTimeout(() => c.succeed({ got: e }), 5) }"},
         "index.handler"),
    ],
    ids=["commonjs", "module", "package of modules", "callback", "context"],
)  # fmt: skip
def test_a_handler_in_each_of_its_forms(run: Run, files: dict[str, str], handler: str) -> None:
    assert run(files, {"é": [1, None]}, Handler=handler) == (None, {"got": {"é": [1, None]}})


def test_the_context_and_the_environment_are_lambdas(run: Run) -> None:
    code = """
const os = require('node:os')
exports.handler = async (event, context) => [
  context.functionName, context.awsRequestId.length, context.getRemainingTimeInMillis() <= 3000,
  process.env.AWS_EXECUTION_ENV, process.env.OWN, os.homedir() === '/home',
]
"""
    error, answer = run(code, Environment={"Variables": {"OWN": "x"}})
    assert (error, answer[:5]) == (None, ["f", 36, True, f"AWS_Lambda_{FOUND}", "x"])


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("class Out extends Error { constructor(m) { super(m); this.name = 'Out' } }\n"
         "exports.handler = async () => { throw new Out('no bananas') }", "Out", "no bananas"),
        ("exports.handler = (e, c, done) => done(new TypeError('t'))", "TypeError", "t"),
        ("exports.handler = async () => { throw 'text' }", "string", "text"),
        ("exports.other = 1", "Runtime.HandlerNotFound", "index.handler is undefined or not"),
        ("exports.handler = (", "Runtime.UserCodeSyntaxError", "SyntaxError"),
        ("require('not-there')", "Runtime.ImportModuleError", "Cannot find module 'not-there'"),
        ("throw new RangeError('at load')", "RangeError", "at load"),
        ("exports.handler = async () => 1n", "Runtime.MarshalError", "Unable to stringify"),
        ("exports.handler = async () => process.exit(3)", "Runtime.ExitError", "exit status 3"),
        ("exports.handler = () => new Promise(() => {})", "Runtime.ExitError", "exit status 0"),
    ],
)  # fmt: skip # https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
def test_an_error_has_the_shape_of_the_runtime(
    run: Run, code: str, kind: str, message: str
) -> None:
    error, payload = run(code)
    assert (error, payload["errorType"]) == ("Unhandled", kind)
    assert message in payload["errorMessage"]


def test_a_trace_names_the_code_as_on_aws(run: Run) -> None:
    _, payload = run("exports.handler = async () => {\n  throw new Error('boom')\n}")
    assert payload["trace"][0] == "Error: boom"
    assert payload["trace"][1].endswith("(/var/task/index.js:2:9)")


def test_a_handler_that_answers_nothing_answers_null(run: Run) -> None:
    assert run("exports.handler = () => {}") == (None, None)


def test_a_warm_process_is_used_again_and_a_slow_one_is_killed(local: LocalAws) -> None:
    code = """
let calls = 0
exports.handler = async (event) => {
  if (event === 'hang') await new Promise((resolve) => setTimeout(resolve, 1e6))
  return ++calls
}
"""
    made(local, {"index.js": code}, Timeout=1)
    assert [invoke(local, "f")[1] for _ in range(2)] == [1, 2]
    error, payload = invoke(local, "f", "hang")
    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert invoke(local, "f")[1] == 1


def test_console_lines_have_time_request_and_level(local: LocalAws) -> None:
    made(local, {"index.js": "exports.handler = async () => { console.warn('a %d', 1) }"})
    answer = local.client("lambda").invoke(FunctionName="f", LogType="Tail", Payload=b"{}")
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    (line,) = [line.split("\t") for line in lines if line.endswith("a 1")]
    assert line[1:] == [answer["ResponseMetadata"]["RequestId"], "WARN", "a 1"]
    assert json.loads(answer["Payload"].read()) is None
