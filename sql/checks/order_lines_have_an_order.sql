-- Every order line belongs to an order.
-- One row per order_id that only lines know: how many lines name it.
SELECT
    TRY_CAST(order_id AS bigint) AS order_id,
    count(*) AS lines_found
FROM ${RawDatabase}.order_products
WHERE
    NOT coalesce(
        TRY_CAST(order_id AS bigint) IN (
            SELECT TRY_CAST(order_id AS bigint)
            FROM ${RawDatabase}.orders
        ),
        false
    )
GROUP BY TRY_CAST(order_id AS bigint)
