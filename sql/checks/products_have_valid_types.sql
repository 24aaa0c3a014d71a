-- Every product has a name, and its ids are written in digits.
-- One row per product that breaks this, as it stands in the file.
SELECT
    product_id,
    product_name,
    aisle_id,
    department_id
FROM ${RawDatabase}.products
WHERE
    NOT coalesce(regexp_like(product_id, '^[0-9]{1,18}$'), false)
    OR NOT coalesce(regexp_like(aisle_id, '^[0-9]{1,18}$'), false)
    OR NOT coalesce(regexp_like(department_id, '^[0-9]{1,18}$'), false)
    OR trim(coalesce(product_name, '')) = ''
