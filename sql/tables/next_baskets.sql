-- The run's next baskets, as its training job wrote them: one row per customer whose next order is
-- to be predicted and product that they bought before. A customer's chosen rows are the set with
-- the highest expected F1, which may be none. The partitions are known without a catalogue entry.
CREATE EXTERNAL TABLE IF NOT EXISTS ${Database}.next_baskets_${run} (
    user_id bigint,
    product_id bigint,
    product_name string,
    probability double,
    rank int,
    chosen boolean,
    model string
)
PARTITIONED BY (user_bucket int)
STORED AS PARQUET
LOCATION 's3://${LakeBucket}/runs/run=${run}/evaluation/next_baskets/'
TBLPROPERTIES (
    'classification' = 'parquet',
    'projection.enabled' = 'true',
    'projection.user_bucket.type' = 'integer',
    'projection.user_bucket.range' = '0,19'
)
