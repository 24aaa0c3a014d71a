"""The chain from raw orders to the model's sets: real SQL, recipes and Spark over a real lake."""

from __future__ import annotations

import copy
import hashlib
import math
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from tasks.glue_jobs import join_features
from tasks.glue_jobs.join_features import (
    ALL_FEATURES,
    FEATURES,
    LABELLED_SETS,
    MORE_FEATURES,
    SETS,
    WORDS,
)
from tests.transform import reference, shoppers, tiny
from tests.transform.lake import RAW_COLUMNS, Lake, Raw

ORACLE = Path(__file__).parent / "oracle.sql"
AS_STORED = 1e-6  # the sets have floats, as the model does


def build(root: Path, raw: Raw, spark: SparkSession, **settings: Any) -> Lake:
    """A lake with everything the chain writes for `raw`."""
    lake = Lake(root, **settings)
    lake.load(raw)
    lake.build_features()
    lake.join(spark)
    return lake


Key = tuple[int, int, int]


def features_of(lake: Lake) -> dict[Key, tuple[Any, ...]]:
    """The features of every candidate of every set, by (user_id, product_id, order_id)."""
    return {row[:3]: row[-len(ALL_FEATURES) :] for name in SETS for row in lake.set_rows(name)}


def wire_features_of(lake: Lake) -> dict[tuple[int, int], tuple[Any, ...]]:
    """The 18 features, by (user_id, product_id), for the users' last orders."""
    last = last_orders(lake)
    return {
        (user, product): values[: len(FEATURES)]
        for (user, product, order), values in features_of(lake).items()
        if order == last[user]
    }


def last_orders(lake: Lake) -> dict[int, int]:
    rows = lake.rows("SELECT user_id, order_id FROM lake.clean_orders_r1 ORDER BY order_number")
    return {row["user_id"]: row["order_id"] for row in rows}


def numbers(values: tuple[Any, ...]) -> list[float]:
    """Null as a number that no feature ever is."""
    return [-12345 if value is None else value for value in values]


def set_of_users(lake: Lake) -> dict[int, set[str]]:
    """The sets in which each user has rows."""
    found: dict[int, set[str]] = {}
    for name in SETS:
        for row in lake.set_rows(name):
            found.setdefault(row[0], set()).add(name)
    return found


@pytest.fixture(scope="module")
def tiny_lake(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Lake:
    return build(tmp_path_factory.mktemp("tiny"), tiny.raw(), spark)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Lake:
    """300 users, through the whole chain."""
    return build(tmp_path_factory.mktemp("shop"), shoppers.raw(), spark)


@pytest.mark.parametrize("position", range(len(FEATURES)), ids=FEATURES)
def test_a_feature_has_the_value_worked_out_by_hand(tiny_lake: Lake, position: int) -> None:
    found = {pair: values[position] for pair, values in wire_features_of(tiny_lake).items()}

    expected = {pair: case[2][position] for pair, case in tiny.EXPECTED.items()}
    assert found == pytest.approx(expected, rel=AS_STORED)


def test_labels_and_orders_to_predict_are_those_worked_out_by_hand(tiny_lake: Lake) -> None:
    last = last_orders(tiny_lake)
    labelled = {
        (row[0], row[1]): (row[2], row[3])
        for name in LABELLED_SETS
        for row in tiny_lake.set_rows(name)
        if row[2] == last[row[0]]
    }
    scored = {(row[0], row[1]): (row[2], None) for row in tiny_lake.set_rows("scoring")}

    assert labelled | scored == {pair: case[:2] for pair, case in tiny.EXPECTED.items()}


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_the_contracted_columns(shop: Lake, name: str) -> None:
    described = shop.connection.execute(f"DESCRIBE FROM {shop.set_files(name)}").fetchall()

    keys = [("user_id", "BIGINT"), ("product_id", "BIGINT"), ("order_id", "BIGINT")]
    numbers = [(number, "FLOAT") for number in (*WORDS, *ALL_FEATURES)]
    assert [row[:2] for row in described] == [*keys, ("label", "INTEGER"), *numbers]


def test_scoring_alone_has_words_and_it_alone_no_labels(shop: Lake) -> None:
    for name in SETS:
        for row in shop.set_rows(name):
            assert (row[3] is None) == (row[5] is not None) == (name == "scoring")


def test_a_prediction_is_told_in_days(tiny_lake: Lake) -> None:
    """User 2 ordered on day 0 and 7, and is to order 30 days later: twice 100, once 102."""
    told = {row[:2]: row[4:6] for row in tiny_lake.set_rows("scoring")}

    assert told == {(2, 100): (7.0, 30.0), (2, 102): (None, 30.0)}


def test_every_row_agrees_with_one_query_written_apart_from_the_chain(shop: Lake) -> None:
    oracle = shop.connection.execute(ORACLE.read_text()).fetchall()
    expected = {
        (row[1], row[2]): ("labelled" if row[0] == "train" else "scoring", row[3], row[4], *row[5:])
        for row in oracle
    }
    found, last = {}, last_orders(shop)
    for name in SETS:
        for row in shop.set_rows(name):
            if row[2] != last[row[0]]:
                continue
            kind, label = ("scoring", 0) if name == "scoring" else ("labelled", row[3])
            features = row[-len(ALL_FEATURES) : -len(MORE_FEATURES)]
            found[row[0], row[1]] = (kind, row[2], label, *features)

    assert len(found) > 1500
    assert found.keys() == expected.keys()
    for pair, values in expected.items():
        assert found[pair][:3] == values[:3], pair
        assert numbers(found[pair][3:]) == pytest.approx(numbers(values[3:]), rel=AS_STORED), pair


def test_every_further_feature_is_what_was_known_before_its_order(shop: Lake) -> None:
    """Earlier orders are labels too: with them, and all that came later, thrown away."""
    raw = shoppers.raw()
    expected: dict[Key, dict[str, Any]] = {}
    for held_back in (2, 1, 0):
        expected |= reference.features(raw, held_back)
    found = features_of(shop)

    last = last_orders(shop)
    assert sum(order != last[user] for user, _, order in found) > 1000
    assert found.keys() <= expected.keys()
    for key, values in found.items():
        theirs = [expected[key][name] for name in MORE_FEATURES]
        mine = values[-len(MORE_FEATURES) :]
        assert numbers(mine) == pytest.approx(numbers(tuple(theirs)), rel=AS_STORED, abs=1e-6), key


def test_earlier_orders_of_training_users_are_labels_with_what_was_in_them(shop: Lake) -> None:
    orders = reference.histories(shoppers.raw())
    baskets = {order.order_id: order.products for of in orders.values() for order in of}
    for name in LABELLED_SETS:
        for user, product, order, label, *_ in shop.set_rows(name):
            assert label == (product in baskets[order])
            assert name == "training" or order == reference.last_known(orders[user]).order_id
    rows = shop.set_rows("training")
    predicted = {(row[0], row[2]) for row in rows}
    for user in {row[0] for row in rows}:
        asked = [order for order in orders[user] if (user, order.order_id) in predicted]
        assert asked == [order for order in orders[user][1:][-3:] if order.kind != "next"]


@pytest.mark.parametrize("held_back", [0, 2])
def test_nothing_of_the_order_to_predict_is_in_a_feature(
    tmp_path: Path, shop: Lake, spark: SparkSession, held_back: int
) -> None:
    """Every order to predict, and what came after it, gets another weekday, hour and other
    products, for everyone: no feature changes, the products' neither. Its day is known: it is the
    day on which it is asked."""
    raw = copy.deepcopy(shoppers.raw())
    columns = RAW_COLUMNS["orders"]
    changed_orders, asked = set(), set()
    for orders in reference.histories(raw).values():
        prior = sum(order.kind == "prior" for order in orders)
        later = orders[max(0, prior - held_back) :]
        changed_orders |= {str(order.order_id) for order in later}
        asked |= {order.order_id for order in later[:1]}
    for order in raw["orders"]:
        if order[0] in changed_orders:
            order[columns.index("order_dow")] = "0"
            order[columns.index("order_hour_of_day")] = "1"
    raw["order_products"] = [
        line for line in raw["order_products"] if line[0] not in changed_orders
    ]
    for order_id in changed_orders:
        raw["order_products"] += [[order_id, str(1000 + i), str(i + 1), "1"] for i in range(60)]

    changed = build(tmp_path, raw, spark)

    def asked_about(lake: Lake) -> dict[Key, tuple[Any, ...]]:
        return {key: values for key, values in features_of(lake).items() if key[2] in asked}

    found = asked_about(changed)
    assert len(found) > 500
    assert found == asked_about(shop)
    labels = {row[3] for name in LABELLED_SETS for row in changed.set_rows(name) if row[2] in asked}
    assert labels == {1}


def expected_sets(user_id: int, orders: list[reference.Order], week: str) -> set[str]:
    """Computed anew from the rule in the job's text."""
    kind = orders[-1].kind
    scored = set() if kind == "train" else {"scoring"}
    if kind == "test" or (kind == "next" and len(orders) < 3):  # nothing before the label
        return scored
    return scored | {labelled_set(user_id, week)}


def labelled_set(user_id: int, week: str) -> str:
    if 20 <= zlib.crc32(f"rebuy-split-1:{user_id}".encode()) % 100 < 80:
        return "training"
    digits = hashlib.sha256(f"rebuy-holdout-{week}:{user_id}".encode()).hexdigest()[:8]
    return "validation" if int(digits, 16) % 40 < 20 else "holdout"


def test_a_user_is_in_one_labelled_set_only_and_those_kept_aside_change_places_every_week(
    shop: Lake, spark: SparkSession
) -> None:
    histories = reference.histories(shoppers.raw())
    holdouts = []
    orders = join_features.read_table(spark, f"{shop.root}/runs/run=r1", "clean/orders")
    lines = join_features.read_table(spark, f"{shop.root}/runs/run=r1", "clean/order_products")
    for week in ("2026-W48", "2026-W49"):
        arguments = join_features.Arguments(str(shop.root), "r1", 20, 20, week)
        targets = join_features.orders_to_predict(orders, lines, arguments).collect()
        found: dict[int, set[str]] = {}
        for row in targets:
            found.setdefault(row["user_id"], set()).add(row["set_name"])
        assert found == {user: expected_sets(user, of, week) for user, of in histories.items()}
        assert set.union(*found.values()) == set(SETS)
        holdouts.append({user for user, names in found.items() if "holdout" in names})
        if week == shop.week:
            assert set_of_users(shop) == found
    assert holdouts[0] != holdouts[1]


def test_of_more_customers_than_teach_more_a_share_is_learned_from(
    shop: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of training users alone, the lower ones of each hundred twenties; nobody else changes."""
    histories = reference.histories(shoppers.raw())
    labelled = sum(orders[-1].kind in ("train", "next") for orders in histories.values())
    run = f"{shop.root}/runs/run=r1"
    tables = [
        join_features.read_table(spark, run, f"clean/{n}") for n in ("orders", "order_products")
    ]
    arguments = join_features.Arguments(str(shop.root), "r1", 20, 20, shop.week)

    def asked() -> set[tuple[int, int, str]]:
        rows = join_features.orders_to_predict(*tables, arguments).collect()
        return {(row["user_id"], row["order_id"], row["set_name"]) for row in rows}

    everybody = asked()
    monkeypatch.setattr(join_features, "LEARNED_FROM", labelled // 20)

    some = asked()

    assert {one for one in everybody - some if one[2] != "training"} == set()
    learned_from = {user for user, _, name in some if name == "training"}
    assert learned_from == {
        user
        for user, _, name in everybody
        if name == "training" and user // 20 % 100 * labelled < labelled // 20 * 100
    }
    assert 0 < len(learned_from) < labelled // 2


def test_large_tables_of_orders_meet_the_rows_without_being_sent_to_everybody(
    tmp_path: Path, shop: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same rows come in the same order."""
    other = Lake(tmp_path)
    other.load(shoppers.raw())
    other.build_features()
    monkeypatch.setattr(join_features, "MOST_BROADCAST", 0)
    other.join(spark)

    assert contents(other) == contents(shop)
    assert other.summary == shop.summary


def test_a_sampled_run_has_the_same_rows_for_fewer_users(
    tmp_path: Path, shop: Lake, spark: SparkSession
) -> None:
    sampled = build(tmp_path, shoppers.raw(), spark, run="r2", sample_buckets=5)

    everybody = features_of(shop)
    expected = {key: row for key, row in everybody.items() if key[0] % 20 < 5}
    assert 0 < len(expected) < len(everybody)
    assert features_of(sampled) == expected
    users = set_of_users(shop)
    assert set_of_users(sampled) == {user: users[user] for user in users if user % 20 < 5}


def test_the_same_rows_in_another_order_give_the_same_sets_in_the_same_order(
    tmp_path: Path, shop: Lake, spark: SparkSession
) -> None:
    """Athena writes rows in any order, into any number of files; models must not depend on it."""
    raw = copy.deepcopy(shoppers.raw())
    for table in raw.values():
        table.reverse()
    other = Lake(tmp_path)
    other.load(raw)
    other.build_features()
    features = tmp_path / "runs/run=r1/features/user_product_features"
    files = [file for file in features.rglob("*") if file.is_file()]
    rows = pa.concat_tables([pq.ParquetFile(file).read() for file in files])
    for file in files:
        file.unlink()
    backwards = rows.take(list(range(rows.num_rows - 1, -1, -1)))
    for part, start in enumerate(range(0, rows.num_rows, 700)):
        pq.write_table(backwards.slice(start, 700), features / f"part-{part}.parquet")
    other.join(spark)

    assert contents(other) == contents(shop)


def contents(lake: Lake) -> dict[str, list[list[dict[str, Any]]]]:
    """The rows of each set's files, in the order in which they are read. Not the files' bytes:
    Spark may encode the same rows in more than one way."""
    return {
        name: [
            pq.ParquetFile(file).read().to_pylist()
            for file in sorted((lake.root / f"runs/run={lake.run}/sets/set={name}").glob("part-*"))
        ]
        for name in SETS
    }


def test_the_summary_counts_what_was_written(shop: Lake) -> None:
    summary = shop.summary

    for name in SETS:
        rows = shop.set_rows(name)
        assert summary["rows"][name] == len(rows)
        assert summary["users"][name] == len({row[0] for row in rows})
        assert summary["orders"][name] == len({row[2] for row in rows})
        if name != "scoring":
            assert summary["positives"][name] == sum(row[3] for row in rows)
    assert summary["spark_version"] == "3.5.6"
    assert "scoring" not in summary["positives"]


def test_what_cannot_be_known_is_null_and_not_a_number_made_up(shop: Lake) -> None:
    """Users with one prior order have no gap between orders, and no line after the first order."""
    one_order = [values for values in features_of(shop).values() if values[8] == 1]

    assert one_order
    for values in one_order:
        assert values[1] is None
        assert values[4] is None
        assert values[2] == 0
    assert not any(math.isnan(v) for values in features_of(shop).values() for v in values if v)
