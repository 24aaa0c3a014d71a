"""The set with the highest expected F1, and what a training job writes of every customer."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.synthetic import rows, write_scoring, write_sets
from tests.model.trained import ARGUMENTS, Trained
from training.metrics import mean_f1_of_baskets
from training.next_basket import best_sizes, expected_f1
from training.train import main

PROBABILITY = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))


def by_enumeration(probability: list[float], chosen: tuple[int, ...]) -> float:
    """The expected F1 of a set, over everything that may happen."""
    total = 0.0
    for bought in itertools.product((0, 1), repeat=len(probability)):
        chance = np.prod([p if y else 1 - p for p, y in zip(probability, bought, strict=True)])
        hits, size = sum(bought[i] for i in chosen), len(chosen) + sum(bought)
        total += chance * (2 * hits / size if size else 1.0)
    return float(total)


@settings(max_examples=60, deadline=None)
@given(st.lists(PROBABILITY, min_size=1, max_size=6))
def test_no_set_of_products_whatever_has_a_higher_expected_f1(probability: list[float]) -> None:
    probability.sort(reverse=True)
    sizes, values = best_sizes(np.array(probability), np.array([0, len(probability)]))

    subsets = itertools.chain.from_iterable(
        itertools.combinations(range(len(probability)), size)
        for size in range(len(probability) + 1)
    )
    best = max(by_enumeration(probability, chosen) for chosen in subsets)
    assert values[0] == pytest.approx(best, abs=1e-12)
    assert by_enumeration(probability, tuple(range(sizes[0]))) == pytest.approx(best, abs=1e-12)


def test_hundreds_of_products_lose_no_precision() -> None:
    """Against the recurrences of Ye et al. (2012), which need no integral."""
    n = 400
    p = np.sort(np.random.default_rng(3).beta(0.3, 2.5, n))[::-1]
    inverse = np.zeros(
        (n + 1, 2 * n + 2)
    )  # [k, m]: expectation of 1 / (m + what is bought after k)
    inverse[n, 1:] = 1 / np.arange(1, 2 * n + 2)
    for k in range(n, 0, -1):
        inverse[k - 1, :-1] = p[k - 1] * inverse[k, 1:] + (1 - p[k - 1]) * inverse[k, :-1]
    hits = np.zeros(n + 1)
    hits[0] = 1
    expected = [np.prod(1 - p)]
    for k in range(1, n + 1):
        hits = hits * (1 - p[k - 1]) + p[k - 1] * np.concatenate([[0.0], hits[:-1]])
        of_k = np.arange(k + 1)
        expected.append(float((2 * of_k * hits[: k + 1] * inverse[k, k + of_k]).sum()))

    assert expected_f1(p[None])[0] == pytest.approx(expected, abs=1e-11)


def test_customers_of_all_sizes_are_each_answered_for_themselves() -> None:
    random = np.random.default_rng(5)
    counts = [3, 0, 70, 8, 1, 9]
    starts = np.concatenate([[0], np.cumsum(counts)])
    p = np.concatenate([np.sort(random.random(n) ** 3)[::-1] for n in counts])

    sizes, values = best_sizes(p, starts)

    for customer, count in enumerate(counts):
        mine = p[starts[customer] : starts[customer + 1]]
        expected = expected_f1(mine[None])[0] if count else np.ones(1)
        assert sizes[customer] == expected.argmax()
        assert values[customer] == pytest.approx(expected.max(), abs=1e-12)


def test_an_unlikely_basket_is_best_left_empty_and_counts_as_such() -> None:
    assert best_sizes(np.array([0.1, 0.05]), np.array([0, 2]))[0] == [0]
    label, order = np.array([0, 0, 1]), np.array([1, 1, 2])
    assert mean_f1_of_baskets(label, np.array([0.1, 0.05, 0.9]), order) == 1.0


def table_of(folder: Path) -> pa.Table:
    return pq.read_table(folder, partitioning="hive")


def test_every_customer_to_predict_has_ranked_rows_and_a_basket(trained: Trained) -> None:
    table = table_of(trained.folder / "checkpoints/next_baskets")
    scoring = pq.read_table(trained.folder / "scoring")

    assert table.num_rows == scoring.num_rows
    assert set(table["user_id"].to_pylist()) == set(scoring["user_id"].to_pylist())
    assert set(table["model"].to_pylist()) == {"run-1"}
    chosen = 0
    for user in set(scoring["user_id"].to_pylist()):
        mine = table.filter(pc.equal(table["user_id"], user)).sort_by("rank").to_pylist()
        assert [row["rank"] for row in mine] == list(range(1, len(mine) + 1))
        p = np.array([row["probability"] for row in mine])
        assert (np.diff(p) <= 0).all()
        size = int(expected_f1(p[None])[0].argmax())
        assert [row["chosen"] for row in mine] == [rank < size for rank in range(len(mine))]
        assert {row["user_bucket"] for row in mine} == {user % 20}
        chosen += size
    told = trained.read("evaluation.json")["next_baskets"]
    assert told == {"customers": 30, "rows": 600, "chosen": chosen, "empty": told["empty"]}
    assert table["product_name"].to_pylist()[0].startswith("Product ")


def test_nobody_to_predict_is_a_table_without_rows(tmp_path: Path) -> None:
    told = write_sets(tmp_path, users=60)
    write_scoring(tmp_path, rows(range(1)).slice(0, 0))

    assert main(ARGUMENTS, told) == 0

    assert not list((tmp_path / "checkpoints/next_baskets").rglob("*"))
    found = json.loads((tmp_path / "checkpoints/evaluation.json").read_text())["next_baskets"]
    assert found == {"customers": 0, "rows": 0, "chosen": 0, "empty": 0}


def test_a_product_without_a_name_is_refused(tmp_path: Path) -> None:
    told = write_sets(tmp_path, users=60)
    file = next((tmp_path / "products").iterdir())
    pq.write_table(pq.read_table(file).slice(1), file)

    assert main(ARGUMENTS, told) == 1

    reason = (tmp_path / "output/failure").read_text()
    assert reason == "TrainingError: Channel 'products' has no product 0, which the sets have."
