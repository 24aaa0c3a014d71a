-- No product stands twice in products.
-- One row per repeated product_id: how many rows share it.
SELECT
    TRY_CAST(product_id AS bigint) AS product_id,
    count(*) AS rows_found
FROM ${RawDatabase}.products
WHERE TRY_CAST(product_id AS bigint) IS NOT NULL
GROUP BY TRY_CAST(product_id AS bigint)
HAVING count(*) > 1
