"""What was acknowledged, to be asked for again afterwards: nothing of it may be lost or doubled."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from benchmarks.attack.load import BUCKET
from benchmarks.attack.product import Product

PAUSE_SECONDS = 0.5
MOST_OBJECTS = 2000
SETTLE_SECONDS = 300.0


@dataclass
class Ledger:
    """Writes all the time, and remembers what was answered with success."""

    product: Product
    objects: dict[str, bytes | None] = field(default_factory=dict)  # None: deleted
    items: dict[str, str] = field(default_factory=dict)
    executions: dict[str, str] = field(default_factory=dict)  # name: its input
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def kept(self, seed: int) -> Iterator[None]:
        """The writing goes on while the block is at work."""
        thread = threading.Thread(target=self._run, args=(random.Random(seed),), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _run(self, chance: random.Random) -> None:
        number = 0
        while not self._over.wait(PAUSE_SECONDS):
            number += 1
            for write in (self._put, self._delete, self._item, self._execution):
                with contextlib.suppress(Exception):  # not answered: it may be there or not
                    write(number, chance)

    def _put(self, number: int, chance: random.Random) -> None:
        key, body = f"ledger/{number % MOST_OBJECTS}", chance.randbytes(chance.randrange(50_000))
        self.objects.pop(key, None)  # in doubt until it is answered
        self.product.connection.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        self.objects[key] = body

    def _delete(self, number: int, chance: random.Random) -> None:
        there = [key for key, body in self.objects.items() if body is not None]
        if number % 5 or not there:
            return
        key = chance.choice(there)
        del self.objects[key]
        self.product.connection.client("s3").delete_object(Bucket=BUCKET, Key=key)
        self.objects[key] = None

    def _item(self, number: int, chance: random.Random) -> None:
        key, value = str(number % MOST_OBJECTS), str(chance.random())
        self.items.pop(key, None)
        item = {"id": {"S": f"ledger-{key}"}, "value": {"S": value}}
        self.product.connection.client("dynamodb").put_item(TableName="attack", Item=item)
        self.items[key] = value

    def _execution(self, number: int, chance: random.Random) -> None:
        if number % 10:
            return
        machine = self.product.outputs["StateMachineArn"].rsplit(":", 1)[0] + ":attack"
        name, given = f"ledger-{number}", json.dumps([number, chance.random()])
        self.product.connection.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=name, input=given
        )
        self.executions[name] = given

    def problems(self) -> Iterator[str]:
        """What was acknowledged and is not so."""
        s3 = self.product.connection.client("s3")
        for key, body in self.objects.items():
            try:
                found = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
                found = None
            if found != body:
                yield f"{key} was {'deleted' if body is None else 'put'} and is not so"
        dynamodb = self.product.connection.client("dynamodb")
        for key, value in self.items.items():
            answer = dynamodb.get_item(TableName="attack", Key={"id": {"S": f"ledger-{key}"}})
            if answer.get("Item", {}).get("value", {}).get("S") != value:
                yield f"the item {key} was put and is not so"
        yield from self._executions()

    def _executions(self) -> Iterator[str]:
        client = self.product.connection.client("stepfunctions")
        prefix = self.product.outputs["StateMachineArn"].rsplit(":", 2)[0]
        prefix = prefix.replace(":stateMachine", "") + ":execution:attack:"
        deadline = time.monotonic() + SETTLE_SECONDS
        for name, given in self.executions.items():
            while True:
                found = client.describe_execution(executionArn=prefix + name)
                if found["status"] != "RUNNING" or time.monotonic() > deadline:
                    break
                time.sleep(0.2)
            if found["status"] != "SUCCEEDED" or json.loads(found["output"]) != json.loads(given):
                yield f"{name} was started and is {found['status']}: {found.get('cause')}"
            events = client.get_execution_history(executionArn=prefix + name)["events"]
            if [event["id"] for event in events] != list(range(1, len(events) + 1)):
                yield f"{name}: events are missing or doubled"
