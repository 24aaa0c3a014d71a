"""The statistics by which a data set is compared with the real one, counted from its CSV files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from configuration.errors import InputError
from rebuy.data import files

# Grains: prior, train: one row per order line. pairs: one row per (user, product in prior),
# with what happened in the user's train order, if there is one.
_VIEWS = """
CREATE VIEW orders AS
SELECT order_id, user_id, eval_set, order_number, order_dow, order_hour_of_day,
    days_since_prior_order AS gap
FROM read_csv('{folder}/orders.csv', header = true, columns = {{
    'order_id': 'INTEGER', 'user_id': 'INTEGER', 'eval_set': 'VARCHAR',
    'order_number': 'INTEGER', 'order_dow': 'INTEGER', 'order_hour_of_day': 'INTEGER',
    'days_since_prior_order': 'DOUBLE'}});

CREATE TABLE products AS
SELECT product_id, department
FROM read_csv('{folder}/products.csv', header = true, quote = '"', escape = '"', columns = {{
    'product_id': 'INTEGER', 'product_name': 'VARCHAR', 'aisle_id': 'INTEGER',
    'department_id': 'INTEGER'}})
INNER JOIN read_csv('{folder}/departments.csv', header = true) USING (department_id);

CREATE TABLE prior AS
SELECT lines.*, user_id, order_number
FROM read_csv('{folder}/order_products__prior.csv', header = true, columns = {line_columns})
    AS lines
INNER JOIN orders USING (order_id);

CREATE TABLE train AS
SELECT lines.*, user_id
FROM read_csv('{folder}/order_products__train.csv', header = true, columns = {line_columns})
    AS lines
INNER JOIN orders USING (order_id);

CREATE TABLE users AS
SELECT user_id, max(order_number) AS orders,
    max(order_number) FILTER (eval_set = 'prior') AS prior_orders,
    bool_or(eval_set = 'train') AS in_train
FROM orders GROUP BY user_id;

CREATE TABLE pairs AS
WITH bought AS (
    SELECT user_id, product_id, count(*) AS times, max(order_number) AS last_order,
        count(*) FILTER (order_number > prior_orders - 5) AS times_in_last_5
    FROM prior INNER JOIN users USING (user_id) GROUP BY ALL
)
SELECT bought.*, in_train, prior_orders - last_order AS orders_since,
    train.product_id IS NOT NULL AS bought_next
FROM bought INNER JOIN users USING (user_id)
LEFT JOIN train USING (user_id, product_id);
"""
_LINE_COLUMNS = (
    "{'order_id': 'INTEGER', 'product_id': 'INTEGER',"
    " 'add_to_cart_order': 'INTEGER', 'reordered': 'INTEGER'}"
)


def _percentiles(name: str, points: list[int], column: str, rows: str, kind: str = "disc") -> str:
    """A query for some percentiles of `column` of the relation `rows`."""
    shares = [point / 100 for point in points]
    return (
        f"SELECT '{name} p' || unnest({points}), unnest(quantile_{kind}({column}, {shares}))"
        f" FROM ({rows})"
    )


# Each gives rows of (name of the statistic, value).
_QUERIES = (
    "SELECT 'users', count(*) FROM users",
    "SELECT 'orders', count(*) FROM orders",
    "SELECT 'prior lines per user', (SELECT count(*) FROM prior) / count(*) FROM users",
    "SELECT 'train users share', avg(in_train::INT) FROM users",
    "SELECT 'orders per user mean', avg(orders) FROM users",
    _percentiles("orders per user", [0, 25, 50, 75, 90, 99, 100], "orders", "FROM users"),
    """SELECT 'users with orders ' || orders, count(*) / (SELECT count(*) FROM users)
    FROM users GROUP BY orders""",
    _percentiles(
        "train basket",
        [5, 25, 50, 75, 90, 99],
        "lines",
        "SELECT count(*) AS lines FROM train GROUP BY order_id",
    ),
    "SELECT 'train basket mean', count(*) / count(DISTINCT order_id) FROM train",
    "SELECT 'prior basket mean', count(*) / count(DISTINCT order_id) FROM prior",
    """SELECT 'prior basket mode', mode(lines)
    FROM (SELECT count(*) AS lines FROM prior GROUP BY order_id)""",
    _percentiles(
        "user mean basket",
        [5, 50, 95],
        "basket",
        "SELECT count(*) / count(DISTINCT order_id) AS basket FROM prior GROUP BY user_id",
        kind="cont",
    ),
    "SELECT 'prior reorder rate', avg(reordered) FROM prior",
    "SELECT 'train reorder rate', avg(reordered) FROM train",
    """SELECT 'train orders without reorder', avg(none)
    FROM (SELECT 1 - max(reordered) AS none FROM train GROUP BY order_id)""",
    """SELECT 'reorder rate at order ' || if(order_number < 40, order_number::VARCHAR, '40+'),
        avg(reordered)
    FROM prior GROUP BY least(order_number, 40), 1""",
    """SELECT 'reorder rate at cart position '
        || if(add_to_cart_order < 30, add_to_cart_order::VARCHAR, '30+'), avg(reordered)
    FROM prior GROUP BY 1""",
    "SELECT 'pairs per user', count(*) / (SELECT count(*) FROM users) FROM pairs",
    """SELECT 'products of a user bought once', avg(once)
    FROM (SELECT avg((times = 1)::INT) AS once FROM pairs GROUP BY user_id)""",
    # How much more often two orders of a user have the same hour than two orders of anybody.
    """WITH hours AS (
        SELECT user_id, order_hour_of_day AS hour, count(*) AS n FROM orders GROUP BY ALL
    ), of_users AS (
        SELECT sum(n * (n - 1)) AS same FROM hours
    ), pairs_of_orders AS (
        SELECT sum(orders * (orders - 1)) AS many FROM users
    ), of_anybody AS (
        SELECT sum(share * share) AS same
        FROM (SELECT sum(n) / (SELECT count(*) FROM orders) AS share FROM hours GROUP BY hour)
    )
    SELECT 'own hours', of_users.same / many - of_anybody.same
    FROM of_users, pairs_of_orders, of_anybody""",
    # Of what was in the order before: how often it is bought again a day or two later, and after
    # two weeks and more below the cap.
    """SELECT 'bought again after ' || if(gap < 3, '1-2 days', '14-29 days'), avg(again::INT)
    FROM (
        SELECT o.gap, next.product_id IS NOT NULL AS again
        FROM prior AS p
        INNER JOIN orders AS o ON o.user_id = p.user_id AND o.order_number = p.order_number + 1
        LEFT JOIN prior AS next ON next.user_id = p.user_id
            AND next.order_number = p.order_number + 1 AND next.product_id = p.product_id
        WHERE o.eval_set = 'prior' AND (o.gap BETWEEN 1 AND 2 OR o.gap BETWEEN 14 AND 29)
    ) GROUP BY 1""",
    "SELECT 'candidate base rate', avg(bought_next::INT) FROM pairs WHERE in_train",
    """SELECT 'lines of the top ' || share || '% of products',
        sum(lines) FILTER (place <= share / 100 * products) / sum(lines)
    FROM (
        SELECT count(prior.product_id) AS lines, (SELECT count(*) FROM products) AS products,
            row_number() OVER (ORDER BY count(prior.product_id) DESC, products.product_id) AS place
        FROM products LEFT JOIN prior USING (product_id) GROUP BY products.product_id
    ), (SELECT unnest([0.1, 1, 2, 5, 10, 20, 50]::DOUBLE[])::FLOAT AS share)
    GROUP BY share""",
    """SELECT 'share of lines at popularity rank ' || place, lines / (SELECT count(*) FROM prior)
    FROM (
        SELECT count(*) AS lines, row_number() OVER (ORDER BY count(*) DESC) AS place
        FROM prior GROUP BY product_id
    ) WHERE place IN (1, 10, 100, 1000, 5000, 10000)""",
    _percentiles(
        "product reorder ratio",
        [5, 25, 50, 75, 95],
        "ratio",
        "SELECT avg(reordered) AS ratio FROM prior GROUP BY product_id HAVING count(*) >= 50",
        kind="cont",
    ),
    """SELECT 'lines in ' || department, count(*) / (SELECT count(*) FROM prior)
    FROM prior INNER JOIN products USING (product_id) GROUP BY department""",
    """SELECT 'reorder rate in ' || department, avg(reordered)
    FROM prior INNER JOIN products USING (product_id) GROUP BY department""",
    """SELECT 'orders on day ' || order_dow, count(*) / (SELECT count(*) FROM orders)
    FROM orders GROUP BY order_dow""",
    """SELECT 'orders in hour ' || order_hour_of_day, count(*) / (SELECT count(*) FROM orders)
    FROM orders GROUP BY order_hour_of_day""",
    """SELECT 'gap of ' || gap::INT || ' days', count(*) / (SELECT count(gap) FROM orders)
    FROM orders WHERE gap IS NOT NULL GROUP BY gap""",
    "SELECT 'gap mean days', avg(gap) FROM orders",
    "SELECT 'gap median days', median(gap) FROM orders",
    "SELECT 'train order gap mean days', avg(gap) FROM orders WHERE eval_set = 'train'",
    "SELECT 'train order gap at cap', avg((gap = 30)::INT) FROM orders WHERE eval_set = 'train'",
    """SELECT 'next order holds product bought times '
        || if(times < 15, times::VARCHAR, '15+'), avg(bought_next::INT)
    FROM pairs WHERE in_train GROUP BY 1""",
    """SELECT 'next order holds product bought orders ago '
        || if(orders_since < 10, orders_since::VARCHAR, '10+'), avg(bought_next::INT)
    FROM pairs WHERE in_train GROUP BY 1""",
    """SELECT 'next order holds product bought times in last 5 orders ' || times_in_last_5,
        avg(bought_next::INT)
    FROM pairs WHERE in_train GROUP BY 1""",
)


def statistics(folder: Path, memory_limit: str = "2GB") -> dict[str, float]:
    """Every statistic of the data set in `folder`, by name; shares and rates are 0 to 1.

    Raises InputError if one of the files it needs is missing.
    """
    needed = (files.DEPARTMENTS, files.PRODUCTS, files.ORDERS, files.PRIOR, files.TRAIN)
    missing = [file.name for file in needed if not (Path(folder) / file.name).is_file()]
    if missing:
        raise InputError(f"{folder} has no {', '.join(missing)}; a data set's folder is wanted.")
    views = _VIEWS.format(folder=str(folder).replace("'", "''"), line_columns=_LINE_COLUMNS)
    with duckdb.connect(config={"memory_limit": memory_limit}) as connection:
        connection.execute(views)
        found = [row for query in _QUERIES for row in connection.execute(query).fetchall()]
    return {name: float(value) for name, value in found if value is not None}
