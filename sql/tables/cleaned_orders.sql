-- The run's cleaned orders: one row per order_id, as the files say. A partition a
-- raw object; those that this run took over lie below the run that cleaned them (clean_data.py).
-- Columns as databrew_recipes/clean_orders.json writes them; the gap of a first order is null.
CREATE EXTERNAL TABLE IF NOT EXISTS ${Database}.cleaned_orders_${run} (
    order_id bigint,
    user_id bigint,
    eval_set string,
    order_number int,
    order_dow int,
    order_hour_of_day int,
    days_since_prior_order double
)
PARTITIONED BY (object string)
STORED AS PARQUET
LOCATION 's3://${LakeBucket}/runs/run=${run}/cleaned/orders/'
TBLPROPERTIES ('classification' = 'parquet')
