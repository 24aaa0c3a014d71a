-- No order stands twice in orders.
-- One row per repeated order_id: how many rows share it.
SELECT
    TRY_CAST(order_id AS bigint) AS order_id,
    count(*) AS rows_found
FROM ${RawDatabase}.orders
WHERE TRY_CAST(order_id AS bigint) IS NOT NULL
GROUP BY TRY_CAST(order_id AS bigint)
HAVING count(*) > 1
