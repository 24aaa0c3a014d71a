-- Every number of an order line is written in digits.
-- One row per line that breaks this, as it stands in the file.
SELECT
    order_id,
    product_id,
    add_to_cart_order,
    reordered
FROM ${RawDatabase}.order_products
WHERE
    NOT coalesce(regexp_like(order_id, '^[0-9]{1,18}$'), false)
    OR NOT coalesce(regexp_like(product_id, '^[0-9]{1,18}$'), false)
    OR NOT coalesce(regexp_like(add_to_cart_order, '^[0-9]{1,9}$'), false)
    OR NOT coalesce(regexp_like(reordered, '^[0-9]{1,9}$'), false)
