-- The department_id of every product stands in departments.
-- One row per product whose department_id is unknown.
SELECT
    products.product_id,
    products.product_name,
    products.department_id
FROM ${RawDatabase}.products AS products
LEFT JOIN ${RawDatabase}.departments AS departments
    ON TRY_CAST(departments.department_id AS bigint) = TRY_CAST(products.department_id AS bigint)
WHERE departments.department_id IS NULL
