-- One row per user with at least one prior line: how often, how regularly and how much they buy.
-- Reads the buckets below ${sample_buckets} of order_products_prior (20 = all users).
--
-- The gaps (user_period, user_mean_days_since_prior; days) are counted once an order, not once a
-- line, so user_period is the time from the first prior order to the last. The mean is null when
-- there is no gap (one prior order), the reorder ratio when there is no line after the first order.
CREATE TABLE ${Database}.user_features_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/features/user_features${try}/'
) AS
WITH

prior_orders AS (

    SELECT
        user_id,
        max(order_number) AS user_orders,
        coalesce(sum(days_since_prior_order), 0) AS user_period,
        avg(days_since_prior_order) AS user_mean_days_since_prior
    FROM ${Database}.clean_orders_${run}
    WHERE
        eval_set = 'prior'
        AND user_id % 20 < ${sample_buckets}
    GROUP BY user_id

),

prior_lines AS (

    SELECT
        user_id,
        count(*) AS user_total_products,
        count(DISTINCT product_id) AS user_distinct_products,
        CAST(count(CASE WHEN reordered = 1 THEN 1 END) AS double)
        / nullif(count(CASE WHEN order_number > 1 THEN 1 END), 0) AS user_reorder_ratio
    FROM ${Database}.${prior_lines_table}
    WHERE user_bucket < ${sample_buckets}
    GROUP BY user_id

)

SELECT
    prior_lines.user_id,
    prior_orders.user_orders,
    prior_orders.user_period,
    prior_orders.user_mean_days_since_prior,
    prior_lines.user_total_products,
    prior_lines.user_distinct_products,
    prior_lines.user_reorder_ratio
FROM prior_lines
INNER JOIN prior_orders ON prior_orders.user_id = prior_lines.user_id
