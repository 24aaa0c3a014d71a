-- One row per line of a prior order, with the order it stands in: what every feature is made of.
-- Lines of train and test orders never enter here, so no feature can know the order to predict.
--
-- Partitioned by user_bucket (user_id % 20, 20 folders) for two later readers: user_features.sql
-- and user_product_features.sql read user_bucket < ${sample_buckets}, so that a sampled run scans
-- only its share (1 = 5 % of the users, 20 = all). The product features read every bucket: how
-- often a product is bought again is a matter of all users, sampled or not.
--
-- order_day is the day of the order, counted from the user's first one (0).
CREATE TABLE ${Database}.order_products_prior_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/features/order_products_prior${try}/',
    partitioned_by = ARRAY['user_bucket']
) AS
WITH

prior_orders AS (

    SELECT
        order_id,
        user_id,
        order_number,
        sum(coalesce(days_since_prior_order, 0)) OVER (
            PARTITION BY user_id
            ORDER BY order_number
        ) AS order_day
    FROM ${Database}.clean_orders_${run}
    WHERE eval_set = 'prior'

)

SELECT
    orders.user_id,
    orders.order_id,
    orders.order_number,
    orders.order_day,
    lines.product_id,
    lines.add_to_cart_order,
    lines.reordered,
    CAST(orders.user_id % 20 AS integer) AS user_bucket
FROM ${Database}.clean_order_products_${run} AS lines
INNER JOIN prior_orders AS orders
    ON orders.order_id = lines.order_id
