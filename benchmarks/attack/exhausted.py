"""Work that wants more memory than it may have: it fails by name, and everything else goes on."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.attack.load import BUCKET, Load, under
from benchmarks.attack.product import Product
from localaws.core.home import holder

PAUSES = {"predict": 1.0, "objects": 1.0, "function": 1.0, "execution": 2.0, "records": 1.0}
LONGEST_SECONDS = 600.0
QUERIES = (
    "SELECT repeat('a', 2000000000)",
    "SELECT count(*) FROM UNNEST(sequence(1, 100000000)) AS t (n)",
    "SELECT array_agg(a.x || b.y || c.z) FROM (SELECT cast(n AS varchar) x FROM"
    " UNNEST(sequence(1, 10000)) AS s (n)) a, (SELECT cast(n AS varchar) y FROM"
    " UNNEST(sequence(1, 10000)) AS s (n)) b, (SELECT cast(n AS varchar) z FROM"
    " UNNEST(sequence(1, 1000)) AS s (n)) c",
)
SPARK = {
    "the Java machine": """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
rows = spark.sparkContext._jvm.java.util.ArrayList()
text = spark.sparkContext._jvm.java.lang.String
while True:
    rows.add(spark.sparkContext._jvm.java.nio.ByteBuffer.allocate(100_000_000))
""",
    "the script": "kept = []\nwhile True:\n    kept.append(b'x' * 100_000_000)\n",
    "a shuffle's rows": """
from pyspark.sql import SparkSession, functions as f
spark = SparkSession.builder.getOrCreate()
spark.range(60_000_000).select(f.collect_list(f.col("id").cast("string"))).collect()
""",
}
HUNGRY = "def handler(event, context):\n    kept = []\n    while True:\n" + (
    "        kept.append(b'x' * 50_000_000)\n"
)
State = Callable[[], tuple[str, str]]
ENDS = {"FAILED", "ERROR", "TIMEOUT", "SUCCEEDED", "STOPPED"}


def attack(product: Product, times: int, seed: int) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    product.set_up()
    load = Load(product)
    load.set_up()
    good = product.finish(product.start("undisturbed"))
    server = holder(product.home)
    held = 0
    with under(product, PAUSES, seed) as load:
        for number in range(times):
            states = {f"query {n}": query(product, text) for n, text in enumerate(QUERIES)}
            states |= {f"Spark, {name}": spark(product, name, f"{number}") for name in SPARK}
            yield from function(product, number)
            for name, state in states.items():
                status, why = ended(state)
                held += status == "FAILED" and bool(why)
                wrong = "" if status == "FAILED" and why else "WRONG "
                yield f"{wrong}{name}: {status}, {why[:160]}"
    wanted = times * (len(QUERIES) + len(SPARK))
    if holder(product.home) != server:
        yield "WRONG the server is not the one that it was"
    yield from (f"WRONG {problem}" for problem in load.wrong)
    yield from (f"WRONG {count} x {name}" for name, count in load.failed.items())
    after = product.finish(product.start("aftermath"))
    if (after.status, after.model) != ("SUCCEEDED", good.model):
        yield f"WRONG the run after it: {after}"
    yield f"{held} of {wanted} failed by name; done meanwhile without a failure: {dict(load.done)}"


def ended(state: State) -> tuple[str, str]:
    deadline = time.monotonic() + LONGEST_SECONDS
    while (found := state())[0] not in ENDS:
        if time.monotonic() > deadline:
            return f"{found[0]} after {LONGEST_SECONDS:.0f} s", ""
        time.sleep(0.5)
    return found


def query(product: Product, text: str) -> State:
    athena = product.connection.client("athena")
    output = {"OutputLocation": f"s3://{BUCKET}/results/"}
    query = athena.start_query_execution(QueryString=text, ResultConfiguration=output)

    def state() -> tuple[str, str]:
        found = athena.get_query_execution(QueryExecutionId=query["QueryExecutionId"])
        status = found["QueryExecution"]["Status"]
        return status["State"], status.get("StateChangeReason", "")

    return state


def role(product: Product, service: str) -> str:
    """A role that the service may take, and that may do everything."""
    iam, name = product.connection.client("iam"), f"attack-{service}"
    trust: dict[str, Any] = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    if name not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.attach_role_policy(
            RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        )
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def spark(product: Product, name: str, number: str) -> State:
    key = f"scripts/{os.urandom(4).hex()}.py"
    product.connection.client("s3").put_object(Bucket=BUCKET, Key=key, Body=SPARK[name].encode())
    glue, job = product.connection.client("glue"), f"attack {name} {number}"
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/{key}"}
    glue.create_job(Name=job, Role=role(product, "glue"), Command=command)
    run = glue.start_job_run(JobName=job)["JobRunId"]

    def state() -> tuple[str, str]:
        found = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
        return found["JobRunState"], found.get("ErrorMessage", "")

    return state


def function(product: Product, number: int) -> Iterator[str]:
    """A function that takes memory without end: the function fails."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", HUNGRY)
    client, name = product.connection.client("lambda"), f"hungry-{number}"
    client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="index.handler", Timeout=120,
        Role=role(product, "lambda"), Code={"ZipFile": package.getvalue()},
    )  # fmt: skip
    answer = client.invoke(FunctionName=name)
    said = answer["Payload"].read().decode()
    yield f"{'' if answer.get('FunctionError') else 'WRONG '}a function: {said[:160]}"
