"""What many users do at once, each checking that what it reads is what was written."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import io
import json
import os
import random
import signal
import socket
import threading
import time
import traceback
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.attack.product import Product
from configuration.errors import RebuyError
from infrastructure.deploy import deploy
from rebuy.cli.demo import EXAMPLE

BUCKET = "attack-load"
OWN = "attack"  # the endpoint that no run touches
PARTS_BYTES = 18_000_000  # a multipart upload: three parts at boto3's 8 MB
ECHO = "def handler(event, context):\n    return event\n"
KILLED = f"exit code {128 + signal.SIGKILL}"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}
LONGEST_WAIT_SECONDS = 300.0


class Wrong(Exception):
    """An answer that said success and was not what it had to be."""


@dataclass
class Load:
    """Actors, a thread each. What fails is counted by its reason; what is wrong, kept in words."""

    product: Product
    done: collections.Counter[str] = field(default_factory=collections.Counter)
    failed: collections.Counter[str] = field(default_factory=collections.Counter)
    wrong: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set_up(self) -> None:
        """The bucket, function, table, queue and state machines that the actors use."""
        client = self.product.connection.client
        client("s3").create_bucket(Bucket=BUCKET)
        iam = client("iam")
        role = iam.create_role(RoleName="attack", AssumeRolePolicyDocument=json.dumps(TRUST))
        arn = role["Role"]["Arn"]
        admin = "arn:aws:iam::aws:policy/AdministratorAccess"
        iam.attach_role_policy(RoleName="attack", PolicyArn=admin)
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("index.py", ECHO)
        echo = client("lambda").create_function(
            FunctionName="echo", Runtime="python3.11", Handler="index.handler", Role=arn,
            Code={"ZipFile": package.getvalue()}, Timeout=60,
        )["FunctionArn"]  # fmt: skip
        # Its process may be killed: whoever calls a function tries again.
        again = {"ErrorEquals": ["Runtime.ExitError"], "IntervalSeconds": 1, "MaxAttempts": 9}
        task = {"Type": "Task", "Resource": echo, "Retry": [again], "End": True}
        inner = {"StartAt": "Echo", "States": {"Echo": task}}
        states = {
            "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Each"},
            "Each": {"Type": "Map", "ItemProcessor": inner, "End": True},
        }
        definition = json.dumps({"StartAt": "Wait", "States": states})
        client("stepfunctions").create_state_machine(
            name="attack", roleArn=arn, definition=definition
        )
        client("dynamodb").create_table(
            TableName="attack",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client("sqs").create_queue(QueueName="attack")

    def start(self, pauses: dict[str, float], seed: int) -> None:
        """Each actor named goes to work, with its mean pause in seconds."""
        for number, (name, pause) in enumerate(pauses.items()):
            chance = random.Random(seed + number)
            thread = threading.Thread(
                target=self._run, args=(name, pause, chance), name=name, daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str, pause: float, chance: random.Random) -> None:
        act = ACTORS[name]
        while not self._over.wait(chance.uniform(0, 2 * pause)):
            try:
                act(self.product, chance)
            except Wrong as problem:
                with self._lock:
                    self.wrong.append(f"{name}: {problem}")
            except Exception as problem:
                with self._lock:
                    self.failed[f"{name}: {reason(problem)}"] += 1
            else:
                with self._lock:
                    self.done[name] += 1


def reason(problem: Exception) -> str:
    """The kind of a failure, without what differs from one to the next."""
    if isinstance(problem, ClientError):
        error = problem.response["Error"]
        return f"{error['Code']}: {error['Message'][:120]}"
    if isinstance(problem, RebuyError):
        return f"{type(problem).__name__}: {str(problem)[:200]}"
    if isinstance(problem, OSError | BotoCoreError | HTTPException):  # the server was killed
        return type(problem).__name__
    last = traceback.extract_tb(problem.__traceback__)[-1]
    return f"{problem!r:.200} in {last.name}, {last.filename}:{last.lineno}"


def expect(said: object, wanted: object, about: str) -> None:
    if said != wanted:
        raise Wrong(f"{about}: {str(said)[:200]}, not {str(wanted)[:200]}")


# -- actors: each does one thing from its beginning to its end


def predict(product: Product, chance: random.Random) -> None:
    request = urllib.request.Request(
        f"{product.outputs['ApiUrl']}/predict",
        data=EXAMPLE.encode(),
        headers={"Content-Type": "text/csv"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = json.load(answer)
    if not 0 <= found["probability"] <= 1:
        raise Wrong(str(found))


def query(product: Product, chance: random.Random) -> None:
    numbers = [chance.randrange(10**6) for _ in range(100)]
    text = ", ".join(f"({number})" for number in numbers)
    rows = ask(product, f"SELECT sum(n), count(*) FROM (VALUES {text}) AS t (n)")
    expect(rows, [[str(sum(numbers)), "100"]], "a sum")


def views(product: Product, chance: random.Random) -> None:
    """Reads a published view, if a run has published any."""
    database = product.outputs["Database"]
    tables = product.connection.client("glue").get_tables(DatabaseName=database)["TableList"]
    names = [table["Name"] for table in tables if table["TableType"] == "VIRTUAL_VIEW"]
    if names:
        name = chance.choice(names)
        rows = ask(product, f'SELECT count(*) FROM "{database}"."{name}"')
        if not int(rows[0][0]):
            raise Wrong(f"{name} is empty")


def ask(product: Product, text: str) -> list[list[str]]:
    """The rows of an Athena query. Raises RuntimeError with its reason when it failed."""
    athena = product.connection.client("athena")
    output = {"OutputLocation": f"s3://{BUCKET}/results/"}
    query = athena.start_query_execution(QueryString=text, ResultConfiguration=output)
    identifier = query["QueryExecutionId"]

    def ended() -> bool:
        status = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]
        if status["State"] == "FAILED":
            raise RuntimeError(status["StateChangeReason"])
        return bool(status["State"] == "SUCCEEDED")

    wait(ended)
    rows = athena.get_query_results(QueryExecutionId=identifier)["ResultSet"]["Rows"][1:]
    s3 = product.connection.client("s3")
    for end in ("csv", "csv.metadata"):
        s3.delete_object(Bucket=BUCKET, Key=f"results/{identifier}.{end}")
    return [[cell["VarCharValue"] for cell in row["Data"]] for row in rows]


def objects(product: Product, chance: random.Random) -> None:
    """Small objects: put, listed, read back, deleted."""
    s3 = product.connection.client("s3")
    prefix = f"small/{chance.randrange(10**12)}/"
    bodies = {f"{prefix}{n}": chance.randbytes(chance.randrange(20_000)) for n in range(5)}
    for key, body in bodies.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    expect([entry["Key"] for entry in listed], sorted(bodies), "a list")
    for key, body in bodies.items():
        read = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        expect(hashlib.md5(read).hexdigest(), hashlib.md5(body).hexdigest(), key)
        s3.delete_object(Bucket=BUCKET, Key=key)


def multipart(product: Product, chance: random.Random) -> None:
    """A large object in parts; an upload is whole or not there."""
    s3 = product.connection.client("s3")
    key, body = f"large/{chance.randrange(10**12)}", chance.randbytes(PARTS_BYTES)
    try:
        s3.upload_fileobj(io.BytesIO(body), BUCKET, key)
    except Exception:
        with contextlib.suppress(ClientError):
            if s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] != PARTS_BYTES:
                raise Wrong(f"{key} is half there") from None
        raise
    read = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    expect(hashlib.md5(read).hexdigest(), hashlib.md5(body).hexdigest(), key)
    s3.delete_object(Bucket=BUCKET, Key=key)


def function(product: Product, chance: random.Random) -> None:
    event = {"number": chance.random()}
    answer = product.connection.client("lambda").invoke(
        FunctionName="echo", Payload=json.dumps(event).encode()
    )
    said = answer["Payload"].read()
    if "FunctionError" in answer:  # its process was killed
        raise RuntimeError(said.decode())
    expect(json.loads(said), event, "an echo")


def execution(product: Product, chance: random.Random) -> None:
    client = product.connection.client("stepfunctions")
    machine = product.outputs["StateMachineArn"].rsplit(":", 1)[0] + ":attack"
    given = [chance.random() for _ in range(3)]
    arn = client.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
    wait(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING")
    found = client.describe_execution(executionArn=arn)
    expect(found["status"], "SUCCEEDED", f"{arn} ({found.get('error')}: {found.get('cause')})")
    expect(json.loads(found["output"]), given, arn)


def records(product: Product, chance: random.Random) -> None:
    """An item of DynamoDB and a message of SQS, written, read and deleted."""
    dynamodb, sqs = product.connection.client("dynamodb"), product.connection.client("sqs")
    key = {"id": {"S": str(chance.randrange(10**12))}}
    dynamodb.put_item(TableName="attack", Item={**key, "n": {"N": "1"}})
    expect(dynamodb.get_item(TableName="attack", Key=key)["Item"]["n"], {"N": "1"}, str(key))
    dynamodb.delete_item(TableName="attack", Key=key)
    url = sqs.get_queue_url(QueueName="attack")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def connections(product: Product, chance: random.Random) -> None:
    """Twenty connections that are left in the middle of a request."""
    place = urlsplit(product.url)
    opened = []
    for _ in range(20):
        opened.append(socket.create_connection((place.hostname, place.port), 30))
        opened[-1].sendall(b"PUT /attack-load/half HTTP/1.1\r\nHost: localhost\r\nContent-Le")
    for each in opened:
        each.close()


def stack(product: Product, chance: random.Random) -> None:
    """A stack of a bucket and a topic, created and deleted."""
    client = product.connection.client("cloudformation")
    name = f"attack-{chance.randrange(10**9)}"
    resources = {"Bucket": {"Type": "AWS::S3::Bucket"}, "Topic": {"Type": "AWS::SNS::Topic"}}
    client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def redeploy(product: Product, chance: random.Random) -> None:
    """The product again, with another setting, so that the stack is updated."""
    settings = product.connection.settings
    other = settings.model_copy(update={"settle_seconds": chance.randrange(1, 3600)})
    deploy(type(product.connection)(other), lambda line: None)


def endpoint(product: Product, chance: random.Random) -> None:
    """An endpoint of its own, with the model that is live, is updated to a new configuration."""
    client = product.connection.client("sagemaker")
    found = {entry["EndpointName"] for entry in client.list_endpoints()["Endpoints"]}
    source = OWN if OWN in found else product.outputs["EndpointName"]
    if source not in found:
        return  # nothing is live yet
    live = client.describe_endpoint(EndpointName=source)["EndpointConfigName"]
    variants = client.describe_endpoint_config(EndpointConfigName=live)["ProductionVariants"]
    made = f"attack-{os.urandom(6).hex()}"
    client.create_endpoint_config(EndpointConfigName=made, ProductionVariants=variants)
    change = client.update_endpoint if OWN in found else client.create_endpoint
    change(EndpointName=OWN, EndpointConfigName=made)
    working = ("Creating", "Updating")
    wait(lambda: client.describe_endpoint(EndpointName=OWN)["EndpointStatus"] not in working)
    now = client.describe_endpoint(EndpointName=OWN)
    reason = str(now.get("FailureReason"))
    if KILLED in reason:
        raise RebuyError(f"The update ended as its new container did: {reason}")
    expect(now["EndpointStatus"], "InService", reason)
    expect(now["EndpointConfigName"], made, "the endpoint's configuration")
    if source == OWN:
        client.delete_endpoint_config(EndpointConfigName=live)


ACTORS: dict[str, Callable[[Product, random.Random], None]] = {
    act.__name__: act
    for act in (
        *(predict, query, views, objects, multipart, function, execution, records),
        *(connections, stack, redeploy, endpoint),
    )
}


def wait(over: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not over():
        if time.monotonic() > deadline:
            raise Wrong(f"not over after {LONGEST_WAIT_SECONDS:.0f} s")
        time.sleep(0.1)


@contextlib.contextmanager
def under(product: Product, pauses: dict[str, float], seed: int) -> Iterator[Load]:
    """The load while the block is at work."""
    load = Load(product)
    load.start(pauses, seed)
    try:
        yield load
    finally:
        load.stop()
