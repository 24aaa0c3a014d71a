-- The run's cleaned order lines: one row per (order_id, product_id), prior and train orders. A
-- partition a raw object, as of cleaned_orders.
-- Columns as databrew_recipes/clean_order_products.json writes them.
CREATE EXTERNAL TABLE IF NOT EXISTS ${Database}.cleaned_order_products_${run} (
    order_id bigint,
    product_id bigint,
    add_to_cart_order int,
    reordered int
)
PARTITIONED BY (object string)
STORED AS PARQUET
LOCATION 's3://${LakeBucket}/runs/run=${run}/cleaned/order_products/'
TBLPROPERTIES ('classification' = 'parquet')
