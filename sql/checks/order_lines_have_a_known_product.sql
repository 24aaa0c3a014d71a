-- Every order line names a product that stands in products.
-- One row per unknown product_id: how many lines name it, and one of their orders.
SELECT
    TRY_CAST(product_id AS bigint) AS product_id,
    min(TRY_CAST(order_id AS bigint)) AS example_order_id,
    count(*) AS lines_found
FROM ${RawDatabase}.order_products
WHERE
    NOT coalesce(
        TRY_CAST(product_id AS bigint) IN (
            SELECT TRY_CAST(product_id AS bigint)
            FROM ${RawDatabase}.products
        ),
        false
    )
GROUP BY TRY_CAST(product_id AS bigint)
