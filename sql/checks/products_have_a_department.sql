-- The department_id of every product stands in departments.
-- One row per product whose department_id is unknown.
SELECT
    product_id,
    product_name,
    department_id
FROM ${RawDatabase}.products
WHERE
    NOT coalesce(
        TRY_CAST(department_id AS bigint) IN (
            SELECT TRY_CAST(department_id AS bigint)
            FROM ${RawDatabase}.departments
        ),
        false
    )
