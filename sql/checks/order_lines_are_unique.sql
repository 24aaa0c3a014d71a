-- An order holds a product once, over the prior and the train lines together.
-- One row per repeated (order_id, product_id): how many lines share it.
SELECT
    TRY_CAST(order_id AS bigint) AS order_id,
    TRY_CAST(product_id AS bigint) AS product_id,
    count(*) AS lines_found
FROM ${RawDatabase}.order_products
WHERE
    TRY_CAST(order_id AS bigint) IS NOT NULL
    AND TRY_CAST(product_id AS bigint) IS NOT NULL
GROUP BY TRY_CAST(order_id AS bigint), TRY_CAST(product_id AS bigint)
HAVING count(*) > 1
