-- The rows of every order to predict, from the raw files in DuckDB, as one would write it by hand:
-- no checks, no cleaning, no files between. What benchmarks/by_hand.py runs, statement by statement.
-- The definitions are those of docs/data.md; `held` is how many of a user's last orders are not known.

CREATE TABLE orders AS
SELECT
    order_id::INT AS order_id, user_id::INT AS user_id, eval_set, order_number::INT AS n,
    days_since_prior_order::DOUBLE AS gap_days,
    sum(coalesce(gap_days, 0)) OVER of_user AS day,
    max(CASE WHEN eval_set = 'prior' THEN n END) OVER (PARTITION BY user_id) + 1 - n AS back,
    max(CASE WHEN eval_set <> 'prior' THEN eval_set END) OVER (PARTITION BY user_id) AS kind,
FROM read_csv($orders, all_varchar = true)
WINDOW of_user AS (PARTITION BY user_id::INT ORDER BY order_number::INT);

-- How many earlier orders of a user are labels too: sql/features/order_products_prior.sql. And who
-- is learned from: tasks/glue_jobs/join_features.py.
CREATE TABLE users AS
SELECT DISTINCT ON (user_id) user_id,
    user_id // 20 % 100 * learned < 45000 * 100 AS taught,
    CASE WHEN kind = 'train' AND user_id // 20 % 100 * 2 * learned < (45000 - learned) * 100
        THEN 2 ELSE 0 END AS labels,
FROM orders, (SELECT count(*) AS learned FROM orders WHERE eval_set = 'train');

CREATE TABLE all_lines AS
SELECT order_id::INT AS order_id, product_id::INT AS product_id, add_to_cart_order::INT AS position,
    reordered::INT AS reordered,
FROM read_csv($order_products, all_varchar = true);

CREATE TABLE lines AS
SELECT user_id, all_lines.product_id, aisle_id::INT AS aisle_id, n, day, back, labels, position, reordered,
    n - lag(n) OVER pair AS wait,
    coalesce(lead(back) OVER pair, 0) AS next_back,
    row_number() OVER pair AS purchase,
    min(back) OVER whole AS last_0,
    min(CASE WHEN back > 1 THEN back END) OVER whole AS last_1,
    min(CASE WHEN back > 2 THEN back END) OVER whole AS last_2,
FROM all_lines JOIN orders USING (order_id) JOIN users USING (user_id)
    JOIN read_csv($products, all_varchar = true) AS products
        ON products.product_id::INT = all_lines.product_id
WHERE eval_set = 'prior'
WINDOW pair AS (PARTITION BY user_id, all_lines.product_id ORDER BY n),
    whole AS (PARTITION BY user_id, all_lines.product_id);

CREATE TABLE held AS FROM range((SELECT max(labels) + 1 FROM users)) AS held (held);

CREATE TABLE product AS
SELECT product_id, any_value(aisle_id) AS aisle_id, held, count(*) AS bought,
    sum(reordered) AS again, sum((purchase = 1)::INT) AS firsts, sum((purchase = 2)::INT) AS seconds,
FROM lines JOIN held ON back > held GROUP BY product_id, held;

CREATE TABLE hazard AS
WITH waits AS (
    SELECT product_id, held, wait, 1 AS ended FROM lines JOIN held ON back > held
    WHERE wait IS NOT NULL
    UNION ALL
    SELECT product_id, held, back - held - 1, 0 FROM lines
    JOIN held ON back > held + 1 AND next_back <= held
), counted AS (
    SELECT product_id, held, least(wait, 20) AS n, count(*) AS waits, sum(ended) AS ended,
        sum(greatest(wait - 19, 0)) AS late
    FROM waits GROUP BY ALL
), possible AS (
    SELECT product_id, aisle_id, held, n, coalesce(ended, 0) AS ended,
        CASE WHEN n = 20 THEN coalesce(late, 0) ELSE sum(coalesce(waits, 0)) OVER later END AS orders
    FROM product CROSS JOIN range(1, 21) AS grid (n) LEFT JOIN counted USING (product_id, held, n)
    WINDOW later AS (PARTITION BY product_id, held ORDER BY n DESC)
), smoothed AS (
    SELECT *, sum(ended) OVER aisle AS aisle_ended, sum(orders) OVER aisle AS aisle_orders,
        coalesce(sum(ended) OVER everything / nullif(sum(orders) OVER everything, 0), 0) AS base
    FROM possible
    WINDOW aisle AS (PARTITION BY aisle_id, held, n), everything AS (PARTITION BY held, n)
)
SELECT product_id, held, n, (ended + 20 * base) / (orders + 20) AS prod_hazard,
    (aisle_ended + 20 * base) / (aisle_orders + 20) AS aisle_hazard, aisle_again,
FROM smoothed JOIN (
    SELECT aisle_id, held, sum(seconds) / sum(firsts) AS aisle_again FROM product GROUP BY ALL
) USING (aisle_id, held);

CREATE TABLE pair AS
WITH known AS (
    SELECT *, CASE held WHEN 0 THEN last_0 WHEN 1 THEN last_1 ELSE last_2 END - held AS possible,
    FROM lines JOIN held ON back > held AND held <= labels
), last_day AS (
    SELECT user_id, held, max(day) AS last_day FROM orders JOIN held ON back > held
    WHERE eval_set = 'prior' GROUP BY ALL
)
SELECT user_id, product_id, held, any_value(aisle_id) AS aisle_id, count(*) AS bought,
    min(n) AS first_n, max(n) AS last_n, avg(position) AS position, min(day) AS first_day,
    max(day) AS last_day, any_value(possible) AS possible, count(CASE WHEN wait = possible THEN 1 END) AS ended,
    count(CASE WHEN wait >= possible THEN 1 END) AS waits, sum((back - held <= 5)::INT) AS of_last_5,
    sum(power(0.9, back - held - 1)) AS decayed, sum(exp((day - last_day) / 30)) AS decayed_30,
    sum(exp((day - last_day) / 90)) AS decayed_90, sum(reordered) AS again,
    sum((n > 1)::INT) AS later, sum((reordered = 1 AND back <= held + 3)::INT) AS recent_again,
    sum((n > 1 AND back <= held + 3)::INT) AS recent_later,
FROM known JOIN last_day USING (user_id, held) GROUP BY user_id, product_id, held;

CREATE TABLE aisle AS
SELECT user_id, aisle_id, held, count(*) AS visits
FROM (SELECT DISTINCT user_id, aisle_id, back, labels FROM lines)
JOIN held ON back > held AND held <= labels GROUP BY ALL;

CREATE TABLE customer AS
SELECT user_id, held, any_value(orders) AS orders, any_value(period) AS period,
    any_value(mean_gap) AS mean_gap, any_value(spread) AS spread, sum(bought) AS total,
    count(*) AS products, sum(again) / nullif(sum(later), 0) AS again,
    sum(recent_again) / nullif(sum(recent_later), 0) AS recent_again,
    sum((possible <= 5)::INT) / count(*) AS active, sum((bought = 1)::INT) / count(*) AS once,
FROM pair JOIN (
    SELECT user_id, held, max(n) AS orders, coalesce(sum(gap_days), 0) AS period,
        avg(gap_days) AS mean_gap, stddev_pop(gap_days) AS spread,
    FROM orders JOIN held ON back > held WHERE eval_set = 'prior' GROUP BY ALL
) USING (user_id, held) GROUP BY user_id, held;

-- One row an order to predict: eval_set train or test, and earlier ones of users to learn from.
CREATE TABLE target AS
SELECT user_id, order_id, gap_days, back AS held, eval_set,
FROM orders JOIN users USING (user_id)
WHERE eval_set <> 'prior' OR (back <= labels AND n > 1);

CREATE TABLE rows AS
SELECT
    user_id, pair.product_id, target.order_id, target.eval_set,
    (l.order_id IS NOT NULL)::FLOAT AS label,
    pair.bought AS up_orders, mean_gap AS user_mean_days_since_prior, period AS user_period,
    products AS user_distinct_products, customer.again AS user_reorder_ratio,
    total AS user_total_products, pair.position AS up_average_cart_position,
    first_n AS up_first_order, orders AS user_orders, last_n AS up_last_order,
    product.bought AS prod_orders, product.seconds / product.firsts AS prod_reorder_probability,
    1 + product.again / product.firsts AS prod_reorder_times,
    product.again / product.bought AS prod_reorder_ratio, total / orders AS user_average_basket,
    pair.bought / orders AS up_order_rate, orders - last_n AS up_orders_since_last_order,
    pair.bought / (orders - first_n + 1) AS up_order_rate_since_first_order,
    (pair.ended + 2 * prod_hazard) / (waits + 2) AS up_hazard, decayed AS up_decayed_orders,
    of_last_5 AS up_orders_of_last_5, decayed_30 AS up_decayed_30_days,
    of_last_5 / least(5, orders) AS up_rate_of_last_5, decayed_90 AS up_decayed_90_days,
    decayed * 0.1 / (1 - power(0.9, orders)) AS up_decayed_rate, prod_hazard,
    period - last_day AS up_days_since_last,
    possible * (pair.bought - 1) / nullif(last_n - first_n, 0) AS up_wait_ratio,
    period - last_day + gap_days - (last_day - first_day) / nullif(pair.bought - 1, 0)
        AS up_days_overdue,
    aisle_hazard, gap_days / nullif(mean_gap, 0) AS user_wait_ratio,
    customer.recent_again AS user_recent_reorder_ratio,
    period - last_day + gap_days AS up_days_since_last_at_order, active AS user_active_share,
    spread AS user_days_spread, aisle_again AS aisle_reorder_probability, once AS user_once_share,
    visits / orders AS user_aisle_rate,
FROM pair JOIN target USING (user_id, held) JOIN customer USING (user_id, held)
    JOIN product USING (product_id, held)
    JOIN hazard ON hazard.product_id = pair.product_id AND hazard.held = pair.held
        AND hazard.n = least(possible, 20)
    JOIN aisle ON aisle.user_id = pair.user_id AND aisle.aisle_id = pair.aisle_id
        AND aisle.held = pair.held
    LEFT JOIN all_lines AS l ON l.order_id = target.order_id AND l.product_id = pair.product_id
