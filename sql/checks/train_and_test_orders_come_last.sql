-- A user has at most one order to predict (train or test), and it is the user's last one.
-- Otherwise a feature could look past the order that it helps to predict.
-- One row per user who breaks this: how many such orders, the first of them, and the last of all.
SELECT
    TRY_CAST(user_id AS bigint) AS user_id,
    count(
        CASE WHEN trim(eval_set) IN ('train', 'test') THEN TRY_CAST(order_number AS integer) END
    ) AS orders_to_predict,
    min(
        CASE WHEN trim(eval_set) IN ('train', 'test') THEN TRY_CAST(order_number AS integer) END
    ) AS first_predicted_number,
    max(TRY_CAST(order_number AS integer)) AS last_number
FROM ${RawDatabase}.orders
WHERE TRY_CAST(user_id AS bigint) IS NOT NULL
GROUP BY TRY_CAST(user_id AS bigint)
HAVING
    count(
        CASE WHEN trim(eval_set) IN ('train', 'test') THEN TRY_CAST(order_number AS integer) END
    ) > 1
    OR min(
        CASE WHEN trim(eval_set) IN ('train', 'test') THEN TRY_CAST(order_number AS integer) END
    ) < max(TRY_CAST(order_number AS integer))
