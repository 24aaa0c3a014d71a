-- The run's product features: one row per product bought in a prior order, from all users.
-- Columns as databrew_recipes/product_features.json writes them; join_features.py makes the ratios.
CREATE EXTERNAL TABLE IF NOT EXISTS ${Database}.product_features_${run} (
    product_id bigint,
    prod_orders bigint,
    prod_reorders bigint,
    prod_first_orders bigint,
    prod_second_orders bigint
)
STORED AS PARQUET
LOCATION 's3://${LakeBucket}/runs/run=${run}/features/product_features/'
TBLPROPERTIES ('classification' = 'parquet')
