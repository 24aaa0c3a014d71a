-- One row per order, and for each customer whose next order nobody marked one more: `next`, the order
-- that is to be predicted. Orders without an eval_set are prior ones.
--
-- A customer with a train or test order has what the files say. All others are predicted: their orders
-- are known up to the last one, which is also the label that is learned from (join_features.py). When
-- the next order will be nobody knows: it has the customer's usual gap, in whole days, or everybody's
-- where there is none. Its order_id is below zero, which no file's is.
CREATE TABLE ${Database}.clean_orders_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/clean/orders${try}/'
) AS
WITH

orders AS (

    SELECT
        order_id,
        user_id,
        coalesce(nullif(eval_set, ''), 'prior') AS eval_set,
        order_number,
        order_dow,
        order_hour_of_day,
        days_since_prior_order
    FROM ${Database}.cleaned_orders_${run}

),

unmarked AS (

    SELECT
        user_id,
        max(order_number) AS last_number,
        avg(days_since_prior_order) AS usual_gap
    FROM orders
    GROUP BY user_id
    HAVING count(CASE WHEN eval_set IN ('train', 'test') THEN 1 END) = 0

),

everybody AS (

    SELECT avg(days_since_prior_order) AS usual_gap
    FROM orders

)

SELECT *
FROM orders

UNION ALL

SELECT
    -1 - unmarked.user_id AS order_id,
    unmarked.user_id,
    'next' AS eval_set,
    unmarked.last_number + 1 AS order_number,
    CAST(NULL AS integer) AS order_dow,
    CAST(NULL AS integer) AS order_hour_of_day,
    round(coalesce(unmarked.usual_gap, everybody.usual_gap, 0)) AS days_since_prior_order
FROM unmarked
CROSS JOIN everybody
