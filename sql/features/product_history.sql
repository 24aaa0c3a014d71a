-- One row per product, held_back and n: what was known of the product, with the last 0, 1 or 2 orders
-- of every user held back, and how likely its n-th possible order holds it.
--
-- After a purchase, the n-th possible order is the user's n-th order from there; hazard is the share
-- of those that hold the product, of those that came without it before, from all users (n ends at
-- 20, which stands for all later ones too). aisle_hazard is the same over the aisle's products. Both
-- lean on that of all products with 20 imagined cases, so that few purchases say little.
--
-- The counts are those of the recipe product_features, which sees held_back = 0 alone.
CREATE TABLE ${Database}.product_history_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/features/product_history${try}/'
) AS
WITH

lines AS (

    SELECT
        product_id,
        aisle_id,
        reordered,
        orders_back,
        order_number - lag(order_number) OVER of_pair AS gap,
        coalesce(lead(orders_back) OVER of_pair, 0) AS next_orders_back,
        row_number() OVER of_pair AS purchase
    FROM ${Database}.${prior_lines_table}
    WINDOW of_pair AS (PARTITION BY user_id, product_id ORDER BY order_number)

),

-- How many purchases of each kind, by the last of the three held-back states that knows them.
counted AS (

    SELECT
        product_id,
        aisle_id,
        least(orders_back, 3) - 1 AS known_to,
        count(*) AS purchases,
        count(CASE WHEN reordered = 1 THEN 1 END) AS reorders,
        count(CASE WHEN purchase = 1 THEN 1 END) AS first_purchases,
        count(CASE WHEN purchase = 2 THEN 1 END) AS second_purchases
    FROM lines
    GROUP BY product_id, aisle_id, least(orders_back, 3) - 1

),

products AS (

    SELECT
        product_id,
        aisle_id,
        held_back,
        sum(purchases) AS prod_orders,
        sum(reorders) AS prod_reorders,
        sum(first_purchases) AS prod_first_orders,
        sum(second_purchases) AS prod_second_orders
    FROM counted
    CROSS JOIN UNNEST(sequence(0, known_to)) AS held (held_back)
    GROUP BY product_id, aisle_id, held_back

),

-- Waits that ended with a purchase, and those that had not ended.
ended AS (

    SELECT
        product_id,
        gap AS orders_waited,
        least(orders_back, 3) - 1 AS known_to,
        count(*) AS waits
    FROM lines
    WHERE gap IS NOT NULL
    GROUP BY product_id, gap, least(orders_back, 3) - 1

),

going_on AS (

    SELECT
        product_id,
        held_back,
        orders_back - held_back - 1 AS orders_waited,
        count(*) AS waits
    FROM lines
    CROSS JOIN UNNEST(sequence(least(next_orders_back, 2), least(orders_back - 1, 2)))
        AS held (held_back)
    WHERE next_orders_back <= 2 AND orders_back - held_back > 1
    GROUP BY product_id, held_back, orders_back - held_back - 1

),

waits AS (

    SELECT product_id, held_back, orders_waited, waits, waits AS purchases
    FROM ended
    CROSS JOIN UNNEST(sequence(0, known_to)) AS held (held_back)

    UNION ALL

    SELECT product_id, held_back, orders_waited, waits, 0 AS purchases
    FROM going_on

),

by_length AS (

    SELECT
        product_id,
        held_back,
        least(orders_waited, 20) AS n,
        sum(waits) AS waits,
        sum(purchases) AS purchases,
        sum(waits * greatest(orders_waited - 19, 0)) AS late_orders
    FROM waits
    GROUP BY product_id, held_back, least(orders_waited, 20)

),

possible AS (

    SELECT
        products.product_id,
        products.aisle_id,
        products.held_back,
        grid.n,
        coalesce(by_length.purchases, 0) AS purchases,
        CASE
            WHEN grid.n = 20 THEN coalesce(by_length.late_orders, 0)
            ELSE sum(coalesce(by_length.waits, 0)) OVER (
                PARTITION BY products.product_id, products.held_back
                ORDER BY grid.n DESC
            )
        END AS orders
    FROM products
    CROSS JOIN UNNEST(sequence(1, 20)) AS grid (n)
    LEFT JOIN by_length
        ON
            by_length.product_id = products.product_id
            AND by_length.held_back = products.held_back
            AND by_length.n = grid.n

),

compared AS (

    SELECT
        product_id,
        aisle_id,
        held_back,
        n,
        purchases,
        orders,
        sum(purchases) OVER (PARTITION BY aisle_id, held_back, n) AS aisle_purchases,
        sum(orders) OVER (PARTITION BY aisle_id, held_back, n) AS aisle_orders,
        coalesce(
            CAST(sum(purchases) OVER (PARTITION BY held_back, n) AS double)
            / nullif(sum(orders) OVER (PARTITION BY held_back, n), 0),
            0
        ) AS hazard_of_all
    FROM possible

),

aisles AS (

    SELECT
        aisle_id,
        held_back,
        CAST(sum(prod_second_orders) AS double) / sum(prod_first_orders)
            AS aisle_reorder_probability
    FROM products
    GROUP BY aisle_id, held_back

)

SELECT
    compared.product_id,
    CAST(compared.held_back AS integer) AS held_back,
    CAST(compared.n AS integer) AS n,
    (compared.purchases + 20 * compared.hazard_of_all) / (compared.orders + 20) AS prod_hazard,
    (compared.aisle_purchases + 20 * compared.hazard_of_all)
    / (compared.aisle_orders + 20) AS aisle_hazard,
    aisles.aisle_reorder_probability,
    CAST(products.prod_orders AS bigint) AS prod_orders,
    CAST(products.prod_reorders AS bigint) AS prod_reorders,
    CAST(products.prod_first_orders AS bigint) AS prod_first_orders,
    CAST(products.prod_second_orders AS bigint) AS prod_second_orders
FROM compared
INNER JOIN products
    ON products.product_id = compared.product_id AND products.held_back = compared.held_back
INNER JOIN aisles
    ON aisles.aisle_id = compared.aisle_id AND aisles.held_back = compared.held_back
