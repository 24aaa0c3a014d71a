-- A user has at most one order to predict (train or test), and it is the user's last one.
-- Otherwise a feature could look past the order that it helps to predict.
-- One row per user who breaks this: how many such orders, the first of them, and the last of all.
WITH

numbered AS (

    SELECT
        TRY_CAST(user_id AS bigint) AS user_id,
        TRY_CAST(order_number AS integer) AS order_number,
        CASE
            WHEN trim(eval_set) IN ('train', 'test') THEN TRY_CAST(order_number AS integer)
        END AS predicted_number
    FROM ${RawDatabase}.orders

)

SELECT
    user_id,
    count(predicted_number) AS orders_to_predict,
    min(predicted_number) AS first_predicted_number,
    max(order_number) AS last_number
FROM numbered
GROUP BY user_id
HAVING count(predicted_number) > 1 OR min(predicted_number) < max(order_number)
