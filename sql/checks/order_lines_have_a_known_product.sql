-- Every order line names a product that stands in products.
-- One row per unknown product_id: how many lines name it, and one of their orders.
WITH

unknown_lines AS (

    SELECT
        TRY_CAST(lines.product_id AS bigint) AS product_id,
        TRY_CAST(lines.order_id AS bigint) AS order_id
    FROM ${RawDatabase}.order_products AS lines
    LEFT JOIN ${RawDatabase}.products AS products
        ON TRY_CAST(products.product_id AS bigint) = TRY_CAST(lines.product_id AS bigint)
    WHERE products.product_id IS NULL

)

SELECT
    product_id,
    min(order_id) AS example_order_id,
    count(*) AS lines_found
FROM unknown_lines
GROUP BY product_id
