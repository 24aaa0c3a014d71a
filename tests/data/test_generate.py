"""Generated data has the shape, the truthfulness and the statistics of the real files."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb
import pytest

from configuration.errors import InputError
from rebuy.data.files import RAW_FILES
from rebuy.data.generate import USERS_AT_ONCE, GeneratedData, generate
from rebuy.data.statistics import statistics
from tests.conftest import cases

USERS = 6_000
# The others need more data to say anything; `python -m benchmarks.generate --compare` has them.
STATISTICS = [
    case for case in cases("instacart_statistics") if case.get("users_at_least", 0) <= USERS
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> GeneratedData:
    return generate(USERS, tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="module")
def tables(data: GeneratedData) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for file in RAW_FILES:
        name = file.name.removesuffix(".csv").removeprefix("order_products__")
        connection.execute(
            f"CREATE TABLE {name} AS SELECT * FROM read_csv('{data.folder / file.name}')"
        )
    connection.execute(
        "CREATE VIEW lines AS SELECT * FROM (SELECT * FROM prior UNION ALL SELECT * FROM train)"
    )
    return connection


def value(tables: duckdb.DuckDBPyConnection, query: str) -> object:
    row = tables.execute(query).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture(scope="module")
def counted(data: GeneratedData) -> dict[str, float]:
    return statistics(data.folder)


@pytest.mark.parametrize("case", STATISTICS, ids=lambda case: case["statistic"])
def test_a_statistic_is_that_of_the_real_data(
    case: dict[str, float | str], counted: dict[str, float]
) -> None:
    assert counted[case["statistic"]] == pytest.approx(case["real"], abs=case["tolerance"])


def test_people_have_hours_of_their_own_and_buy_by_days(counted: dict[str, float]) -> None:
    """How strongly is assumed: no figure of the real data is known here."""
    assert counted["own hours"] > 0.05
    again = [counted[f"bought again after {days} days"] for days in ("1-2", "14-29")]
    assert again[1] > again[0] + 0.05


def test_every_file_starts_with_the_real_header(data: GeneratedData) -> None:
    headers = {path.name: path.open(encoding="utf-8").readline() for path in data.files}
    assert headers == {
        "aisles.csv": "aisle_id,aisle\n",
        "departments.csv": "department_id,department\n",
        "products.csv": "product_id,product_name,aisle_id,department_id\n",
        "orders.csv": "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,"
        "days_since_prior_order\n",
        "order_products__prior.csv": "order_id,product_id,add_to_cart_order,reordered\n",
        "order_products__train.csv": "order_id,product_id,add_to_cart_order,reordered\n",
    }


def test_gaps_are_written_with_a_decimal_and_hours_with_two_digits(data: GeneratedData) -> None:
    with (data.folder / "orders.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert {row["days_since_prior_order"] for row in rows} == {"", *(f"{n}.0" for n in range(31))}
    assert {row["order_hour_of_day"] for row in rows} == {f"{n:02}" for n in range(24)}


def test_the_gap_is_empty_on_the_first_order_and_only_there(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    assert value(
        tables,
        "SELECT bool_and((order_number = 1) = (days_since_prior_order IS NULL)) FROM orders",
    )


def test_days_of_the_week_follow_the_gaps_below_the_cap(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        SELECT count(*) FROM (
            SELECT *, lag(order_dow) OVER (PARTITION BY user_id ORDER BY order_number) AS before
            FROM orders
        ) WHERE days_since_prior_order < 30
            AND (before + days_since_prior_order) % 7 <> order_dow"""
    assert value(tables, query) == 0


def test_the_counts_reported_are_those_in_the_files(
    data: GeneratedData, tables: duckdb.DuckDBPyConnection
) -> None:
    for name, count in {
        "orders": data.orders,
        "products": data.products,
        "prior": data.prior_lines,
        "train": data.train_lines,
        "aisles": 134,
        "departments": 21,
    }.items():
        assert value(tables, f"SELECT count(*) FROM {name}") == count
    assert data.products == 49_688


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("aisles", "aisle_id"),
        ("aisles", "aisle"),
        ("departments", "department_id"),
        ("products", "product_id"),
        ("products", "product_name"),
        ("orders", "order_id"),
        ("orders", "(user_id, order_number)"),
        ("lines", "(order_id, product_id)"),
        ("lines", "(order_id, add_to_cart_order)"),
    ],
)
def test_keys_are_unique(tables: duckdb.DuckDBPyConnection, table: str, key: str) -> None:
    assert value(tables, f"SELECT count(*) - count(DISTINCT {key}) FROM {table}") == 0


def test_order_numbers_of_a_user_are_consecutive_and_end_in_train_or_test(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    query = """
        SELECT count(*) FROM (
            SELECT min(order_number) = 1 AND max(order_number) = count(*)
                AND count(*) FILTER (eval_set <> 'prior') = 1
                AND arg_max(eval_set, order_number) <> 'prior' AS good
            FROM orders GROUP BY user_id
        ) WHERE NOT good"""
    assert value(tables, query) == 0


def test_train_and_test_users_are_split_as_in_the_original(
    data: GeneratedData, tables: duckdb.DuckDBPyConnection
) -> None:
    query = "SELECT count(*) FROM orders WHERE eval_set = "
    assert value(tables, query + "'train'") == data.train_users == 3_818
    assert value(tables, query + "'test'") == USERS - 3_818


def test_lines_and_orders_belong_together(tables: duckdb.DuckDBPyConnection) -> None:
    for kind in ("prior", "train"):
        query = f"""
            SELECT count(*) FROM (SELECT order_id FROM orders WHERE eval_set = '{kind}')
            FULL JOIN (SELECT DISTINCT order_id AS line FROM {kind}) ON order_id = line
            WHERE order_id IS NULL OR line IS NULL"""
        assert value(tables, query) == 0
    assert value(tables, "SELECT count(*) FROM lines ANTI JOIN products USING (product_id)") == 0


def test_cart_positions_count_from_one(tables: duckdb.DuckDBPyConnection) -> None:
    query = """SELECT count(*) FROM (
        SELECT count(*) AS lines, min(add_to_cart_order) AS low, max(add_to_cart_order) AS high
        FROM lines GROUP BY order_id) WHERE low <> 1 OR high <> lines"""
    assert value(tables, query) == 0


def test_reordered_says_whether_the_user_had_the_product_before(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    query = """
        SELECT count(*) FROM (
            SELECT reordered,
                row_number() OVER (PARTITION BY user_id, product_id ORDER BY order_number) AS time
            FROM lines INNER JOIN orders USING (order_id)
        ) WHERE (time > 1)::INT <> reordered"""
    assert value(tables, query) == 0


def test_product_names_are_as_awkward_as_real_ones(data: GeneratedData) -> None:
    with (data.folder / "products.csv").open(encoding="utf-8", newline="") as lines:
        names = [row["product_name"] for row in csv.DictReader(lines)]
    for awkward in (",", '"', "'", "&", "%"):
        assert sum(awkward in name for name in names) > 500
    assert sum(not name.isascii() for name in names) > 500
    assert "Bananas" in names


def digest(data: GeneratedData) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in data.files)).hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    users = USERS_AT_ONCE + 100  # more than one group, so that threads race
    first = digest(generate(users, tmp_path / "a", seed=3))
    assert digest(generate(users, tmp_path / "b", seed=3)) == first
    assert digest(generate(users, tmp_path / "c", seed=4)) != first


def test_an_earlier_data_set_is_replaced(tmp_path: Path) -> None:
    generate(50, tmp_path, seed=1)
    again = generate(20, tmp_path, seed=2)
    assert digest(again) == digest(generate(20, tmp_path / "sub" / "new", seed=2))


def test_a_single_user_is_a_data_set(tmp_path: Path) -> None:
    data = generate(1, tmp_path)
    assert (data.users, data.train_users) == (1, 1)
    assert data.train_lines > 0


def test_progress_ends_at_the_number_of_users(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    generate(USERS_AT_ONCE + 1, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(USERS_AT_ONCE, USERS_AT_ONCE + 1), (USERS_AT_ONCE + 1, USERS_AT_ONCE + 1)]


@pytest.mark.parametrize("users", [0, -5, 10_000_001, 2.5, True, "100"])
def test_a_wrong_number_of_users_is_refused(tmp_path: Path, users: object) -> None:
    with pytest.raises(InputError, match=r"users is .*; a whole number from 1 to 10,000,000"):
        generate(users, tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 1.5, "seven"])
def test_a_wrong_seed_is_refused(tmp_path: Path, seed: object) -> None:
    with pytest.raises(InputError, match=r"seed is .*; a whole number from 0 up"):
        generate(10, tmp_path, seed=seed)  # type: ignore[arg-type]


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError, match=r"holds other files \(thesis\.docx\)"):
        generate(10, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match=r"out is the file .*/out"):
        generate(10, tmp_path / "out")


def test_statistics_of_an_incomplete_folder_name_what_is_missing(tmp_path: Path) -> None:
    generate(5, tmp_path)
    (tmp_path / "orders.csv").unlink()
    with pytest.raises(InputError, match=r"has no orders\.csv"):
        statistics(tmp_path)


def test_the_data_can_be_learned_but_not_too_easily(data: GeneratedData) -> None:
    from benchmarks.learnability import learnability

    result = learnability(data.folder, rounds=60)
    assert result.base_rate == pytest.approx(0.098, abs=0.01)
    # fewer users than in the original make product features poorer, and the holdout smaller
    assert 0.81 < result.auc < 0.845
    assert 0.235 < result.logloss < 0.27
    assert result.order_rate_auc == pytest.approx(0.775, abs=0.02)
