-- reordered is 0 or 1, and the cart position (add_to_cart_order) starts at 1.
-- One row per line outside of these.
SELECT
    order_id,
    product_id,
    add_to_cart_order,
    reordered
FROM ${RawDatabase}.order_products
WHERE
    TRY_CAST(reordered AS integer) NOT BETWEEN 0 AND 1
    OR TRY_CAST(add_to_cart_order AS integer) < 1
