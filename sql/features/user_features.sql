-- One row per user with at least one prior line, and held_back: how often, how regularly and how much
-- they buy. held_back = 0 is what is known when the order to predict is asked about; 1 and 2 are
-- what was known before the last prior order, and the one before it, for users whose
-- earlier_labels say that these are predicted too.
-- Reads the buckets below ${sample_buckets} of order_products_prior (20 = all users).
--
-- The gaps (user_period, user_mean_days_since_prior; days) are counted once an order, not once a
-- line, so user_period is the time from the first prior order to the last. The mean is null when
-- there is no gap (one prior order), the reorder ratio when there is no line after the first order.
-- user_days_spread is the gaps' standard deviation, from sums of whole days: these are the same in
-- whichever order an engine adds them up, what stddev_pop gives is not, to the last digit.
CREATE TABLE ${Database}.user_features_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/features/user_features${try}/'
) AS
WITH

orders AS (

    SELECT
        user_id,
        order_number,
        days_since_prior_order,
        max(CASE WHEN eval_set = 'prior' THEN order_number END) OVER (
            PARTITION BY user_id
        ) + 1 - order_number AS orders_back
    FROM ${Database}.${clean_orders_table}
    WHERE user_id % 20 < ${sample_buckets}

),

known_orders AS (

    SELECT
        user_id,
        held_back,
        max(CASE WHEN orders_back > held_back THEN order_number END) AS user_orders,
        coalesce(sum(CASE WHEN orders_back > held_back THEN days_since_prior_order END), 0)
            AS user_period,
        avg(CASE WHEN orders_back > held_back THEN days_since_prior_order END)
            AS user_mean_days_since_prior,
        count(CASE WHEN orders_back > held_back THEN days_since_prior_order END) AS gaps,
        sum(CASE WHEN orders_back > held_back THEN days_since_prior_order END) AS gap_days,
        sum(
            CASE
                WHEN orders_back > held_back
                    THEN days_since_prior_order * days_since_prior_order
            END
        ) AS squared_gap_days
    FROM orders
    CROSS JOIN UNNEST(sequence(0, 2)) AS held (held_back)
    GROUP BY user_id, held_back

),

pairs AS (

    SELECT
        user_id,
        product_id,
        held_back,
        count(*) AS purchases,
        min(orders_back) - held_back AS last_purchase,
        count(CASE WHEN reordered = 1 THEN 1 END) AS reorders,
        count(CASE WHEN order_number > 1 THEN 1 END) AS later_lines,
        count(CASE WHEN reordered = 1 AND orders_back <= held_back + 3 THEN 1 END)
            AS recent_reorders,
        count(CASE WHEN order_number > 1 AND orders_back <= held_back + 3 THEN 1 END)
            AS recent_later_lines
    FROM ${Database}.${prior_lines_table}
    CROSS JOIN UNNEST(sequence(0, least(earlier_labels, orders_back - 1))) AS held (held_back)
    WHERE user_bucket < ${sample_buckets} AND earlier_labels IS NOT NULL
    GROUP BY user_id, product_id, held_back

),

known_lines AS (

    SELECT
        user_id,
        held_back,
        sum(purchases) AS user_total_products,
        count(*) AS user_distinct_products,
        CAST(sum(reorders) AS double) / nullif(sum(later_lines), 0) AS user_reorder_ratio,
        CAST(sum(recent_reorders) AS double) / nullif(sum(recent_later_lines), 0)
            AS user_recent_reorder_ratio,
        CAST(count(CASE WHEN last_purchase <= 5 THEN 1 END) AS double) / count(*)
            AS user_active_share,
        CAST(count(CASE WHEN purchases = 1 THEN 1 END) AS double) / count(*) AS user_once_share
    FROM pairs
    GROUP BY user_id, held_back

)

SELECT
    known_lines.user_id,
    CAST(known_lines.held_back AS integer) AS held_back,
    known_orders.user_orders,
    known_orders.user_period,
    known_orders.user_mean_days_since_prior,
    CAST(known_lines.user_total_products AS bigint) AS user_total_products,
    known_lines.user_distinct_products,
    known_lines.user_reorder_ratio,
    sqrt(
        greatest(
            known_orders.gaps * known_orders.squared_gap_days
            - known_orders.gap_days * known_orders.gap_days,
            0e0
        )
    ) / nullif(known_orders.gaps, 0) AS user_days_spread,
    known_lines.user_recent_reorder_ratio,
    known_lines.user_active_share,
    known_lines.user_once_share
FROM known_lines
INNER JOIN known_orders
    ON known_orders.user_id = known_lines.user_id AND known_orders.held_back = known_lines.held_back
