-- The aisle_id of every product stands in aisles.
-- One row per product whose aisle_id is unknown.
SELECT
    products.product_id,
    products.product_name,
    products.aisle_id
FROM ${RawDatabase}.products AS products
LEFT JOIN ${RawDatabase}.aisles AS aisles
    ON TRY_CAST(aisles.aisle_id AS bigint) = TRY_CAST(products.aisle_id AS bigint)
WHERE aisles.aisle_id IS NULL
