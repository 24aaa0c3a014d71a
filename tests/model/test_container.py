"""The endpoint answers here as in the image: every case is sent to the image's own packages too."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from inference import serve
from infrastructure.packages import ENDPOINT_FILES
from localaws.sagemaker import image_serving, model_server
from tests.model.test_serve import BAD
from tests.model.toolkit import Json, answers, toolkit
from tests.model.trained import EXAMPLE_LINE, Trained

__all__ = ["toolkit"]
ROOT = Path(__file__).parent.parent.parent
ONE = '{"rows": [{"up_orders": 3}]}'


def invocation(body: str | bytes, kind: str | None = None, accept: str | None = None) -> Json:
    headers = {"Content-Type": kind, "Accept": accept}
    return {
        "method": "POST",
        "path": "/invocations",
        "headers": {name: value for name, value in headers.items() if value is not None},
        "body": (body if isinstance(body, bytes) else body.encode()).decode("latin-1"),
    }


def plain(method: str, path: str, **headers: str) -> Json:
    return {"method": method, "path": path, "headers": headers, "body": ""}


PRODUCT = [
    invocation(EXAMPLE_LINE, "text/csv", "text/csv"),
    invocation(f"{EXAMPLE_LINE}\n{EXAMPLE_LINE}\n", "text/csv"),
    invocation(EXAMPLE_LINE, "text/csv", "*/*"),
    invocation(EXAMPLE_LINE, "text/csv; charset=utf-8", "text/csv"),
    invocation(ONE, "application/json", "application/json"),
    invocation(ONE, "application/json", "text/csv, application/json;q=0.1"),
    invocation(ONE),
    invocation('{"describe": true}', "application/json"),
    invocation('{"rows": [{"up_orders": 3}], "explain": true}', "application/json"),
    invocation(EXAMPLE_LINE, "text/csv", "image/png"),
    invocation(ONE[:-1] + ', "explain": true}', "application/json", "text/csv"),
    invocation("", "text/csv"),
    *(invocation(body, kind, "text/csv") for body, kind, *_ in BAD),
]
PATHS = [
    plain("GET", "/ping"),
    plain("HEAD", "/ping"),
    plain("POST", "/ping"),
    plain("OPTIONS", "/ping"),
    plain("GET", "/ping?deep=1"),
    plain("GET", "/ping/deeper"),
    plain("GET", "/invocations"),
    plain("PUT", "/invocations"),
    plain("GET", "/execution-parameters"),
]
RETURNS = """
import flask

def model_fn(model_dir): return "a model"
def transform_fn(model, body, content_type, accept):
    answers = {
        "tuple": lambda: ("1\\n", "text/csv"),
        "bytes in a tuple": lambda: (b"\\x00\\xff", "application/x-npy"),
        "what was given": lambda: (repr((model, body, content_type, accept)), "text/plain"),
        "response": lambda: flask.Response("no", status=418, mimetype="text/plain"),
        "json response": lambda: flask.Response("{}", mimetype="application/json"),
        "str": lambda: "a text",
        "bytes": lambda: b"some bytes",
        "dict": lambda: {"b": 1, "a": [2]},
        "list": lambda: [1, 2],
        "none": lambda: None,
        "number": lambda: 1.5,
        "abort": lambda: flask.abort(400, "not so"),
        "raise": lambda: 1 / 0,
    }
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    return answers.get(text, answers["what was given"])()
"""
WORDS = [
    *("tuple", "bytes in a tuple", "response", "json response", "str", "bytes", "dict", "list"),
    *("none", "number", "abort", "raise"),
]
GENERIC = [
    *(invocation(word, "text/csv") for word in WORDS),
    invocation("x"),
    invocation("x", "application/json; charset=utf-8", "*/*"),
    invocation("x", "text/plain", "text/html, */*"),
    invocation("", "text/csv", ""),
    {**invocation("x"), "headers": {"ContentType": "text/csv", "Content-Type": "image/png"}},
]
THREE = """
def model_fn(model_dir): return 2
def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError(content_type)
    return float(body)
def predict_fn(data, model): return data / model
def output_fn(prediction, accept): return str(prediction), accept
"""
OF_THREE = [
    invocation("3", "text/csv", "text/csv"),
    invocation("3", "text/csv"),
    invocation("3", "image/png"),
    invocation("x", "text/csv"),
]


@pytest.fixture(scope="module")
def product(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A container's folder with the product's script and a model that was really trained."""
    base = tmp_path_factory.mktemp("container")
    shutil.copytree(trained.model_dir, base / "model")
    (base / "code").mkdir()
    for name in ENDPOINT_FILES:
        shutil.copy(ROOT / "inference" / name, base / "code")
    shutil.move(base / "code/serve.py", base / "code/script.py")
    return base


def written(folder: Path, text: str) -> tuple[Path, ModuleType]:
    (folder / "code").mkdir()
    (folder / "model").mkdir()
    file = folder / "code/script.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location("script", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return folder, module


def here(module: ModuleType, base: Path, cases: list[Json]) -> list[Json]:
    """The local endpoint's answers."""
    app = model_server.worker(
        model_server.load(module, str(base / "model"), image_serving), "script"
    )
    told = []
    for case in cases:
        body = case["body"].encode("latin-1")
        reply = model_server.answer(app, case["method"], case["path"], case["headers"], body)
        text = reply.body.decode("latin-1")
        told.append({"status": reply.status, "type": reply.content_type, "body": text})
    return told


def test_the_products_script_answers_in_the_image_as_here(toolkit: Path, product: Path) -> None:
    there = answers(toolkit, "containers", product, [*PRODUCT, *PATHS])

    assert there == here(serve, product, [*PRODUCT, *PATHS])
    statuses = [told["status"][:3] for told in there[: len(PRODUCT)]]
    assert statuses[:9] == ["200"] * 9
    assert statuses[9:12] == ["406", "406", "400"]
    assert statuses[12:] == [str(400 if kind is None else status) for _, kind, status, _ in BAD]
    for told, (body, kind, _, message) in zip(there[12:], BAD, strict=False):
        # Without a type the image says application/json; of text it reads bytes as it can.
        if kind is not None and not isinstance(body, bytes):
            assert message in told["body"]
            assert told["type"] == "text/plain; charset=utf-8"
    assert [told["type"] for told in there[:4]] == [
        "text/csv; charset=utf-8",
        "application/json",
        "application/json",
        "text/csv; charset=utf-8",
    ]


def test_many_models_behind_one_endpoint_would_answer_good_requests_alike(
    toolkit: Path, product: Path
) -> None:
    asked = [case for case in PRODUCT[:9] if "Content-Type" in case["headers"]]

    there = answers(toolkit, "inference", product, asked)

    expected = here(serve, product, asked)
    assert [told["status"] for told in there] == [200] * len(asked)
    assert [told["body"] for told in there] == [told["body"] for told in expected]


@pytest.mark.parametrize(
    ("script", "cases"), [(RETURNS, GENERIC), (THREE, OF_THREE)], ids=["transform_fn", "three"]
)
def test_whatever_a_script_returns_or_raises_is_answered_alike(
    toolkit: Path, tmp_path: Path, script: str, cases: list[Json]
) -> None:
    base, module = written(tmp_path, script)

    there = answers(toolkit, "containers", base, cases)

    assert there == here(module, base, cases)


def test_every_exception_is_500_with_a_page_and_only_a_response_has_a_status(
    tmp_path: Path,
) -> None:
    base, module = written(tmp_path, RETURNS)

    told = dict(zip(WORDS, here(module, base, GENERIC), strict=False))

    for word in ("none", "number", "abort", "raise"):
        assert told[word]["status"] == "500 INTERNAL SERVER ERROR"
        assert told[word]["body"].startswith("<!doctype html>")
    assert (told["response"]["status"], told["response"]["body"]) == ("418 I'M A TEAPOT", "no")


def test_nginx_lets_three_paths_through(tmp_path: Path) -> None:
    base, module = written(tmp_path, THREE)

    (told,) = here(module, base, [plain("GET", "/models")])

    assert told == {"status": "404 Not Found", "type": "application/octet-stream", "body": "{}"}
