"""The whole pipeline, in a local AWS of the test's own: `python -m pytest`."""

from __future__ import annotations

import csv
from collections import defaultdict

import pipeline

from localaws.testing import local_aws


@local_aws(policies="enforce")
def test_the_report_has_the_best_product_of_every_day() -> None:
    revenue: dict[tuple[str, str], float] = defaultdict(float)
    with (pipeline.HERE / "data/sales.csv").open() as file:
        for row in csv.DictReader(file):
            revenue[row["day"], row["product"]] += float(row["amount"])

    pipeline.deploy()
    report = pipeline.run()

    assert [row["day"] for row in report] == sorted({day for day, _ in revenue})
    for row in report:
        of_day = {product: sum_ for (day, product), sum_ in revenue.items() if day == row["day"]}
        assert (row["product"], row["revenue"]) == max(of_day.items(), key=lambda one: one[1])
    pipeline.destroy()
