"""The product's pipeline, its server killed twice: it ends as if nothing had happened.

`python -m benchmarks.attack kills` does the same at random moments, as often as asked.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.attack.product import Product

USERS = 200
SECONDS = {"Join features": 4.0, "Train": 0.6}  # within its first seconds each is at work


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Product]:
    made = Product(tmp_path / "home", USERS)
    made.set_up()
    yield made
    made.tear_down()


def test_a_run_killed_while_joining_and_while_training_gives_the_same_model(
    pipeline: Product,
) -> None:
    chance = random.Random(3)
    good = pipeline.finish(pipeline.start("undisturbed"))
    assert (good.status, good.problems) == ("SUCCEEDED", []), good.reason

    arn = pipeline.start("killed")
    for state, seconds in SECONDS.items():
        assert pipeline.wait(arn, lambda state=state: state in pipeline.inside(arn))  # type: ignore[misc]
        time.sleep(chance.uniform(0, seconds))
        assert state in pipeline.inside(arn)
        pipeline.kill()
    ended = pipeline.finish(arn)

    assert ended.status == "SUCCEEDED", ended.reason
    assert ended.problems == []
    assert ended.model == good.model
