-- The aisle_id of every product stands in aisles.
-- One row per product whose aisle_id is unknown.
SELECT
    product_id,
    product_name,
    aisle_id
FROM ${RawDatabase}.products
WHERE
    NOT coalesce(
        TRY_CAST(aisle_id AS bigint) IN (
            SELECT TRY_CAST(aisle_id AS bigint)
            FROM ${RawDatabase}.aisles
        ),
        false
    )
