-- One row per (user_id, product_id) of a prior line, and held_back: the candidates, and how the user
-- bought them. held_back = 0 is what is known when the order to predict is asked about; 1 and 2 are
-- what was known before the last prior order, and the one before it, where earlier_labels says so.
-- Days are counted from the user's first order, orders to the next one that could be.
-- Reads the buckets below ${sample_buckets} of order_products_prior (20 = all users).
--
-- up_possible_order is n: the order that is asked about is the n-th since the last purchase.
-- up_hazard is the chance that such an order holds the product: of the pair's own waits that came
-- so far, those that ended there, leaning on the product's (product_history) with two imagined cases.
--
-- The decayed purchases are added up as whole numbers of 1e-15: a sum of doubles depends on the order
-- in which an engine meets them, and the same data must give the same features again, to the last
-- digit. (Decimals would do, at many times the work.)
CREATE TABLE ${Database}.user_product_features_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/features/user_product_features${try}/'
) AS
WITH

-- last_of_<held_back>: orders_back of the pair's last purchase that is known then.
prior_lines AS (

    SELECT
        user_id,
        product_id,
        aisle_id,
        order_number,
        order_day,
        orders_back,
        earlier_labels,
        add_to_cart_order,
        order_number - lag(order_number) OVER (
            PARTITION BY user_id, product_id
            ORDER BY order_number
        ) AS gap,
        min(orders_back) OVER (PARTITION BY user_id, product_id) AS last_of_0,
        min(CASE WHEN orders_back > 1 THEN orders_back END) OVER (
            PARTITION BY user_id, product_id
        ) AS last_of_1,
        min(CASE WHEN orders_back > 2 THEN orders_back END) OVER (
            PARTITION BY user_id, product_id
        ) AS last_of_2
    FROM ${Database}.${prior_lines_table}
    WHERE user_bucket < ${sample_buckets} AND earlier_labels IS NOT NULL

),

-- The day of the last order that is known.
known_days AS (

    SELECT
        user_id,
        held_back,
        sum(days_since_prior_order) AS last_day
    FROM (
        SELECT
            user_id,
            coalesce(days_since_prior_order, 0) AS days_since_prior_order,
            max(order_number) OVER (PARTITION BY user_id) + 1 - order_number AS orders_back
        FROM ${Database}.${clean_orders_table}
        WHERE eval_set = 'prior' AND user_id % 20 < ${sample_buckets}
    ) AS orders
    CROSS JOIN UNNEST(sequence(0, 2)) AS held (held_back)
    WHERE orders_back > held_back
    GROUP BY user_id, held_back

),

known_lines AS (

    SELECT
        prior_lines.*,
        held_back,
        orders_back - held_back - 1 AS orders_ago,
        CASE held_back WHEN 0 THEN last_of_0 WHEN 1 THEN last_of_1 ELSE last_of_2 END - held_back
            AS possible_order
    FROM prior_lines
    CROSS JOIN UNNEST(sequence(0, least(earlier_labels, orders_back - 1))) AS held (held_back)

),

pairs AS (

    SELECT
        known_lines.user_id,
        known_lines.product_id,
        known_lines.held_back,
        max(known_lines.aisle_id) AS aisle_id,
        count(*) AS up_orders,
        min(known_lines.order_number) AS up_first_order,
        max(known_lines.order_number) AS up_last_order,
        avg(CAST(known_lines.add_to_cart_order AS double)) AS up_average_cart_position,
        min(known_lines.order_day) AS up_first_day,
        max(known_lines.order_day) AS up_last_day,
        max(known_lines.possible_order) AS up_possible_order,
        count(CASE WHEN known_lines.gap = known_lines.possible_order THEN 1 END) AS ended_here,
        count(CASE WHEN known_lines.gap >= known_lines.possible_order THEN 1 END) AS came_so_far,
        sum(CAST(power(0.9e0, known_lines.orders_ago) * 1e15 AS bigint)) AS up_decayed_orders,
        count(CASE WHEN known_lines.orders_ago < 5 THEN 1 END) AS up_orders_of_last_5,
        sum(
            CAST(exp((known_lines.order_day - known_days.last_day) / 30e0) * 1e15 AS bigint)
        ) AS up_decayed_30_days,
        sum(
            CAST(exp((known_lines.order_day - known_days.last_day) / 90e0) * 1e15 AS bigint)
        ) AS up_decayed_90_days
    FROM known_lines
    INNER JOIN known_days
        ON
            known_days.user_id = known_lines.user_id
            AND known_days.held_back = known_lines.held_back
    GROUP BY known_lines.user_id, known_lines.product_id, known_lines.held_back

),

aisle_orders AS (

    SELECT
        user_id,
        aisle_id,
        held_back,
        count(*) AS user_aisle_orders
    FROM (
        SELECT DISTINCT
            user_id,
            aisle_id,
            orders_back,
            earlier_labels
        FROM ${Database}.${prior_lines_table}
        WHERE user_bucket < ${sample_buckets} AND earlier_labels IS NOT NULL
    ) AS visits
    CROSS JOIN UNNEST(sequence(0, least(earlier_labels, orders_back - 1))) AS held (held_back)
    GROUP BY user_id, aisle_id, held_back

)

SELECT
    pairs.user_id,
    pairs.product_id,
    CAST(pairs.held_back AS integer) AS held_back,
    pairs.up_orders,
    pairs.up_first_order,
    pairs.up_last_order,
    pairs.up_average_cart_position,
    pairs.up_first_day,
    pairs.up_last_day,
    CAST(pairs.up_possible_order AS integer) AS up_possible_order,
    (pairs.ended_here + 2 * history.prod_hazard) / (pairs.came_so_far + 2) AS up_hazard,
    history.prod_hazard,
    history.aisle_hazard,
    history.aisle_reorder_probability,
    pairs.up_decayed_orders / 1e15 AS up_decayed_orders,
    pairs.up_orders_of_last_5,
    pairs.up_decayed_30_days / 1e15 AS up_decayed_30_days,
    pairs.up_decayed_90_days / 1e15 AS up_decayed_90_days,
    aisle_orders.user_aisle_orders
FROM pairs
LEFT JOIN ${Database}.${product_history_table} AS history
    ON
        history.product_id = pairs.product_id
        AND history.held_back = pairs.held_back
        AND history.n = least(pairs.up_possible_order, 20)
LEFT JOIN aisle_orders
    ON
        aisle_orders.user_id = pairs.user_id
        AND aisle_orders.aisle_id = pairs.aisle_id
        AND aisle_orders.held_back = pairs.held_back
