-- One row per (order_id, product_id): the lines of all orders, in one place.
CREATE TABLE ${Database}.clean_order_products_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/clean/order_products${try}/'
) AS
SELECT
    order_id,
    product_id,
    add_to_cart_order,
    reordered
FROM ${Database}.cleaned_order_products_${run}
