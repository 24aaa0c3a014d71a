"""How fast predictions are served here, beside the stack of the SageMaker XGBoost container.

    python -m benchmarks.serving [--seconds 3] [--clients 1,4]

One model, one row a request, the same client code for all three, in one run on one machine:

* POST /predict: API Gateway, the Lambda, InvokeEndpoint, the model; all of the local AWS.
* InvokeEndpoint: the local AWS's endpoint alone.
* Flask + gunicorn: what the container's image runs before the same `serve.py` (one worker, so that
  each side has one process that predicts; threads, for connections that are kept alive).

Then an endpoint is updated to another model while clients go on asking: how many requests failed,
and how long the slowest took. Prints a table, or `--json`.
"""

from __future__ import annotations

import argparse
import http.client
import io
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from executions.endpoint_key import local_keys
from infrastructure.packages import API_FILES, ENDPOINT_FILES
from tests.model.trained import EXAMPLE_LINE, train_small

ROOT = Path(__file__).resolve().parent.parent
CODE = {name: (ROOT / "inference" / name).read_bytes() for name in ENDPOINT_FILES}
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
ROLE = "arn:aws:iam::000000000000:role/benchmark"
# Any signature is taken (--open); botocore would take longer to make one than the request takes.
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sagemaker/aws4_request, "
    "SignedHeaders=host, Signature=0"
)
CSV = {"Content-Type": "text/csv", "Accept": "text/csv"}
SERVER_START_SECONDS = 60
Json = dict[str, Any]

FLASK = """
import flask, serve
app, model = flask.Flask(__name__), serve.model_fn("{model}")

@app.get("/ping")
def ping():
    return ""

@app.post("/invocations")
def invocations():
    asked, headers = flask.request.get_data(), flask.request.headers
    answer = serve.transform_fn(model, asked, headers["content-type"], headers["accept"])
    if isinstance(answer, flask.Response):
        return answer
    return flask.Response(answer[0], mimetype=answer[1])
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(arguments: list[str], port: int, cwd: Path, log: Path) -> Iterator[str]:
    """A server that answers on the port; its address. Ended with the block."""
    with log.open("wb") as output:
        child = subprocess.Popen(arguments, cwd=cwd, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + SERVER_START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError as problem:
                if child.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{arguments[:4]} did not start:\n{log.read_text()}") from (
                        problem
                    )
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(20)


def tar(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


def deploy(url: str, model_dir: Path) -> tuple[Any, str]:
    """Model "a" behind the endpoint "rebuy", "b" ready to follow, and the API; its id."""

    def client(name: str) -> Any:
        return boto3.client(name, endpoint_url=url, region_name="us-east-1", **local_keys(url))

    s3, sagemaker, functions = client("s3"), client("sagemaker"), client("lambda")
    s3.create_bucket(Bucket="bench")
    model = {name: (model_dir / name).read_bytes() for name in ("xgboost-model", "model.json")}
    for name in ("a", "b"):
        told = {**json.loads(model["model.json"]), "run": name}
        body = tar({**model, "model.json": json.dumps(told).encode()})
        s3.put_object(Bucket="bench", Key=f"{name}/model.tar.gz", Body=body)
    s3.put_object(Bucket="bench", Key="code.tar.gz", Body=tar(CODE))
    for name in ("a", "b"):
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={
                "Image": IMAGE,
                "ModelDataUrl": f"s3://bench/{name}/model.tar.gz",
                "Environment": {
                    "SAGEMAKER_PROGRAM": "serve.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "s3://bench/code.tar.gz",
                },
            },
        )
        variant = {"VariantName": "live", "ModelName": name, "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {**variant, "InstanceType": "ml.m5.large", "InitialVariantWeight": 1}
            ],
        )
    sagemaker.create_endpoint(EndpointName="rebuy", EndpointConfigName="a")
    wait_in_service(sagemaker, "a")

    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for name in API_FILES:
            archive.write(ROOT / "inference" / name, f"inference/{name}")
    function = functions.create_function(
        FunctionName="predict",
        Runtime="python3.11",
        Role=ROLE,
        Handler="inference.api.handler",
        Code={"ZipFile": package.getvalue()},
        Environment={"Variables": {"ENDPOINT_NAME": "rebuy"}},
        MemorySize=256,
        Timeout=29,
    )["FunctionArn"]
    gateway = client("apigatewayv2")
    api: str = gateway.create_api(Name="bench", ProtocolType="HTTP")["ApiId"]
    functions.add_permission(
        FunctionName="predict",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function,
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="POST /predict", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return sagemaker, api


def wait_in_service(sagemaker: Any, config: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        told = sagemaker.describe_endpoint(EndpointName="rebuy")
        if (told["EndpointStatus"], told["EndpointConfigName"]) == ("InService", config):
            return
        if told["EndpointStatus"] == "Failed":
            raise RuntimeError(told["FailureReason"])
        time.sleep(0.05)
    raise TimeoutError(f"The endpoint does not serve {config}.")


class Load:
    """Clients with one kept-alive connection each, asking one row after the other until `stop`."""

    def __init__(self, url: str, path: str, headers: dict[str, str], clients: int) -> None:
        self.milliseconds: list[float] = []
        self.failed = 0
        self._where, self._path, self._headers = urlsplit(url).netloc, path, headers
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        self._started = time.perf_counter()
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._where, timeout=30)
        while not self._stop.is_set():
            started = time.perf_counter()
            try:
                connection.request("POST", self._path, EXAMPLE_LINE, self._headers)
                answer = connection.getresponse()
                body = answer.read()
                good = answer.status == 200 and bool(body)
            except (OSError, http.client.HTTPException):
                connection.close()
                good = False
            self.failed += not good
            self.milliseconds.append((time.perf_counter() - started) * 1000)
        connection.close()

    def stop(self) -> Json:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        seconds = time.perf_counter() - self._started
        taken = sorted(self.milliseconds)
        return {
            "requests": len(taken),
            "failed": self.failed,
            "requests_per_second": round(len(taken) / seconds, 1),
            "p50_ms": round(statistics.median(taken), 2),
            "p99_ms": round(taken[min(len(taken) - 1, int(len(taken) * 0.99))], 2),
            "slowest_ms": round(taken[-1], 2),
        }


def measure(url: str, path: str, headers: dict[str, str], clients: int, seconds: float) -> Json:
    """A short warm-up, then the numbers."""
    for length in (min(1.0, seconds / 2), seconds):
        load = Load(url, path, headers, clients)
        time.sleep(length)
        told = load.stop()
    return told


def updated_under_load(sagemaker: Any, url: str, path: str, clients: int) -> Json:
    """Two updates, to "b" and back to "a", while clients ask."""
    load = Load(url, path, {**CSV, "Authorization": SIGNED}, clients)
    time.sleep(0.5)
    for config in ("b", "a"):
        sagemaker.update_endpoint(EndpointName="rebuy", EndpointConfigName=config)
        wait_in_service(sagemaker, config)
    time.sleep(0.5)
    return {**load.stop(), "updates": 2}


def run(seconds: float, clients: list[int]) -> Json:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model_dir = train_small(folder / "trained").model_dir
        (folder / "app.py").write_text(FLASK.format(model=model_dir))
        for name, content in CODE.items():
            (folder / name).write_bytes(content)
        port, other = free_port(), free_port()
        local = [sys.executable, "-m", "localaws", "--home", str(folder / "home")]
        local += ["--port", str(port), "--wait-scale", "0", "--policies", "off", "--open"]
        flask = [sys.executable, "-m", "gunicorn", "-w", "1", "-k", "gthread", "--threads", "8"]
        flask += ["--keep-alive", "75", "-b", f"127.0.0.1:{other}", "app:app"]
        with (
            process(local, port, ROOT, folder / "local.log") as url,
            process(flask, other, folder, folder / "flask.log") as beside,
        ):
            sagemaker, api = deploy(url, model_dir)
            invoke = "/endpoints/rebuy/invocations"
            servers = {
                "POST /predict": (url, f"/_aws/execute-api/{api}/predict", CSV),
                "InvokeEndpoint": (url, invoke, {**CSV, "Authorization": SIGNED}),
                "Flask + gunicorn": (beside, "/invocations", CSV),
            }
            found = {
                f"{name}, {count} client{'s' * (count > 1)}": measure(*server, count, seconds)
                for count, (name, server) in itertools.product(clients, servers.items())
            }
            found["InvokeEndpoint during 2 updates"] = updated_under_load(
                sagemaker, url, invoke, max(clients)
            )
        return {"load_average": os.getloadavg()[0], "cores": os.cpu_count(), "servers": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=3, help="of load for each number")
    parser.add_argument("--clients", default="1,4", help="how many at once, comma-separated")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    told = run(min(given.seconds, 30), [int(count) for count in given.clients.split(",")])
    if given.json:
        print(json.dumps(told, indent=1))
        return
    columns = ("requests", "failed", "requests_per_second", "p50_ms", "p99_ms", "slowest_ms")
    print(f"{told['cores']} cores, load average {told['load_average']:.1f}")
    print(f"{'':34}" + "".join(f"{name:>20}" for name in columns))
    for name, numbers in told["servers"].items():
        print(f"{name:34}" + "".join(f"{numbers[column]:>20}" for column in columns))


if __name__ == "__main__":
    main()
