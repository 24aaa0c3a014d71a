"""A run whose server is killed twice: it ends as if nothing had happened.

`python -m benchmarks.attack kills` does it at random moments of whole runs, as often as asked.
"""

from __future__ import annotations

import random
import time

from benchmarks.attack.product import Product
from tests.pipeline.stack import Execution, Stack

SECONDS = {"Join features": 4.0, "Train": 0.6}  # within its first seconds each is at work


def test_a_run_killed_while_joining_and_while_training_gives_the_same_model(
    stack: Stack, good: Execution
) -> None:
    chance = random.Random(3)
    product = Product(stack.home, url=stack.url, outputs=stack.outputs)
    product.connection = stack.connection
    given = stack.fork(good, "Join features")
    given["run"]["options"]["publish"] = "always"  # the same model again: all states run
    arn = stack.start(given, stack.machine("Join features"))

    for state, seconds in SECONDS.items():
        assert product.wait(arn, lambda state=state: state in product.inside(arn))  # type: ignore[misc]
        time.sleep(chance.uniform(0, seconds))
        assert state in product.inside(arn)
        product.kill()
    ended = product.finish(arn)

    assert ended.status == "SUCCEEDED", ended.reason
    assert ended.problems == []
    assert ended.model == product.model(good.arn)
    assert stack.record(arn)["outcome"] == "published"
