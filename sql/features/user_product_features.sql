-- One row per (user_id, product_id) of a prior line: the candidates, and how the user bought them.
-- The two days are counted from the user's first order; no feature is made of them, but the words
-- in which a prediction is told ("every 9 days, last 12 days ago").
-- Reads the buckets below ${sample_buckets} of order_products_prior (20 = all users).
CREATE TABLE ${Database}.user_product_features_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/features/user_product_features${try}/'
) AS
SELECT
    user_id,
    product_id,
    count(*) AS up_orders,
    min(order_number) AS up_first_order,
    max(order_number) AS up_last_order,
    avg(CAST(add_to_cart_order AS double)) AS up_average_cart_position,
    min(order_day) AS up_first_day,
    max(order_day) AS up_last_day
FROM ${Database}.${prior_lines_table}
WHERE user_bucket < ${sample_buckets}
GROUP BY user_id, product_id
