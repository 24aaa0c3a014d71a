"""Run as a script, with the image's packages: requests from stdin, answers to stdout, as JSON."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

Json = dict[str, Any]


def containers(cases: list[Json]) -> list[Json]:
    """sagemaker-containers, put together as the image's serving.py `main` does for a script."""
    from sagemaker_containers import _env, _transformer, _worker
    from werkzeug.test import Client

    script = importlib.import_module("script")
    names = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
    transformer = _transformer.Transformer(**{name: getattr(script, name, None) for name in names})
    transformer.initialize()
    name = _env.ServingEnv().module_name
    client = Client(_worker.Worker(transform_fn=transformer.transform, module_name=name))
    return [answer(client, case) for case in cases]


def answer(client: Any, case: Json) -> Json:
    told = client.open(
        case["path"],
        method=case["method"],
        headers=list(case["headers"].items()),
        data=case["body"].encode("latin-1"),
    )
    return {
        "status": told.status,
        "type": told.headers.get("content-type"),
        "body": told.get_data().decode("latin-1"),
    }


def inference(cases: list[Json]) -> list[Json]:
    """sagemaker-inference, which the image uses for many models behind one endpoint."""
    import os

    from sagemaker_inference.transformer import Transformer

    transformer = Transformer()
    model = os.environ["SAGEMAKER_BASE_DIR"] + "/model"
    told = []
    for case in cases:
        context = Context(case["headers"], model)
        (body,) = transformer.transform([{"body": case["body"].encode("latin-1")}], context)
        told.append({"status": context.status, "type": context.type, "body": body})
    return told


class Context:
    """What the multi-model server hands to a handler, as far as the toolkit asks it."""

    def __init__(self, headers: dict[str, str], model: str) -> None:
        self.headers = headers
        self.system_properties = {"model_dir": model}
        self.request_processor = [self]
        self.status, self.type = 200, ""

    def get_request_properties(self) -> dict[str, str]:
        return self.headers

    def set_response_content_type(self, index: int, kind: str) -> None:
        self.type = kind

    def set_response_status(self, code: int, phrase: str) -> None:
        self.status = code


if __name__ == "__main__":
    server = {"containers": containers, "inference": inference}[sys.argv[1]]
    print(json.dumps(server(json.load(sys.stdin))))
