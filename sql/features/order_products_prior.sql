-- One row per line of a prior order, with the order it stands in: what every feature is made of.
-- Lines of train and test orders never enter here, so no feature can know the order to predict.
--
-- Partitioned by user_bucket (user_id % 20, 20 folders) for later readers: user_features.sql
-- and user_product_features.sql read user_bucket < ${sample_buckets}, so that a sampled run scans
-- only its share (1 = 5 % of the users, 20 = all). The product features read every bucket: how
-- often a product is bought again is a matter of all users, sampled or not.
--
-- order_day is the day of the order, counted from the user's first one (0). orders_back counts from
-- the order to predict: 1 is the user's last prior order. earlier_labels says how many prior orders
-- are to be predicted too, each from what was known before it (held_back = 1, 2): two of users whose
-- last order is train or next, none of test users, as long as that makes at most 45,000 orders to
-- learn from. With more than 15,000 such users it is a share of them, by user_id, with 45,000 none:
-- more rows teach hardly more then, and cost as much. Of a next user at least the last order is
-- predicted, as the train order of others. Of still more users a share is learned from (as in
-- join_features, which splits them by crc32): earlier_labels is null of users who are in no set.
CREATE TABLE ${Database}.order_products_prior_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/features/order_products_prior${try}/',
    partitioned_by = ARRAY['user_bucket']
) AS
WITH

users AS (

    SELECT
        user_id,
        max(CASE WHEN eval_set = 'prior' THEN order_number END) AS last_prior_order,
        max(CASE WHEN eval_set IN ('train', 'next') THEN eval_set END) AS learned_from,
        floor(user_id / 20) % 100 AS hundredth,
        crc32(to_utf8('rebuy-split-1:' || CAST(user_id AS varchar))) % 100 BETWEEN 10 AND 89
            AS is_to_train
    FROM ${Database}.${clean_orders_table}
    GROUP BY user_id

),

labelled AS (

    SELECT count(*) AS users
    FROM users
    WHERE learned_from IS NOT NULL

),

orders AS (

    SELECT
        order_id,
        user_id,
        eval_set,
        order_number,
        sum(coalesce(days_since_prior_order, 0)) OVER (
            PARTITION BY user_id
            ORDER BY order_number
        ) AS order_day
    FROM ${Database}.${clean_orders_table}

)

SELECT
    orders.user_id,
    orders.order_id,
    orders.order_number,
    orders.order_day,
    CAST(users.last_prior_order + 1 - orders.order_number AS integer) AS orders_back,
    CAST(
        CASE
            WHEN
                users.learned_from = 'train'
                AND users.is_to_train
                AND users.hundredth * labelled.users >= 45000 * 100
                THEN NULL
            WHEN
                users.learned_from IS NOT NULL
                AND users.hundredth * 2 * labelled.users < (45000 - labelled.users) * 100
                THEN 2
            WHEN users.learned_from = 'next' THEN 1
            ELSE 0
        END AS integer
    ) AS earlier_labels,
    lines.product_id,
    CAST(products.aisle_id AS bigint) AS aisle_id,
    lines.add_to_cart_order,
    lines.reordered,
    CAST(orders.user_id % 20 AS integer) AS user_bucket
FROM ${Database}.${clean_order_products_table} AS lines
INNER JOIN orders ON orders.order_id = lines.order_id AND orders.eval_set = 'prior'
INNER JOIN users ON users.user_id = orders.user_id
INNER JOIN ${RawDatabase}.products AS products
    ON CAST(products.product_id AS bigint) = lines.product_id
CROSS JOIN labelled
