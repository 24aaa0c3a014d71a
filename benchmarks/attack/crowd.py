"""Ten executions of the product at once: each ends well, and with the same model."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.attack.product import Product

LONGEST_SECONDS = 7200.0


def attack(product: Product, executions: int) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    product.set_up()
    good = product.finish(product.start("undisturbed"))
    yield f"undisturbed: {good.status} in {good.seconds:.0f} s, model {good.model[:16]}"
    stamp = int(time.time())
    arns = [product.start(f"crowd-{stamp}-{number}") for number in range(executions)]
    held, longest = 0, 0.0
    for arn in arns:
        product.wait(arn, lambda: False, LONGEST_SECONDS)
        outcome = product.finish(arn)
        longest = max(longest, outcome.seconds)
        if (outcome.status, outcome.model, outcome.problems) == ("SUCCEEDED", good.model, []):
            held += 1
        else:
            yield f"WRONG {outcome}"
    yield f"{held} of {executions} executions at once with the same model, in {longest:.0f} s"
