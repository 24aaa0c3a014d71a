-- Every order line belongs to an order.
-- One row per order_id that only lines know: how many lines name it.
WITH

unknown_lines AS (

    SELECT TRY_CAST(lines.order_id AS bigint) AS order_id
    FROM ${RawDatabase}.order_products AS lines
    LEFT JOIN ${RawDatabase}.orders AS orders
        ON TRY_CAST(orders.order_id AS bigint) = TRY_CAST(lines.order_id AS bigint)
    WHERE orders.order_id IS NULL

)

SELECT
    order_id,
    count(*) AS lines_found
FROM unknown_lines
GROUP BY order_id
