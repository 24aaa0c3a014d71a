-- A user's orders are numbered 1, 2, 3 and so on, without a gap and without a repeat.
-- One row per user who breaks this: the orders found, and the numbers they carry.
SELECT
    TRY_CAST(user_id AS bigint) AS user_id,
    count(*) AS orders_found,
    count(DISTINCT TRY_CAST(order_number AS integer)) AS numbers_found,
    min(TRY_CAST(order_number AS integer)) AS first_number,
    max(TRY_CAST(order_number AS integer)) AS last_number
FROM ${RawDatabase}.orders
WHERE TRY_CAST(user_id AS bigint) IS NOT NULL
GROUP BY TRY_CAST(user_id AS bigint)
HAVING
    coalesce(min(TRY_CAST(order_number AS integer)), 0) <> 1
    OR coalesce(max(TRY_CAST(order_number AS integer)), 0) <> count(*)
    OR count(DISTINCT TRY_CAST(order_number AS integer)) <> count(*)
