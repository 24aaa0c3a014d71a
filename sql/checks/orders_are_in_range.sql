-- order_dow runs from 0 to 6, order_hour_of_day from 0 to 23, order_number starts at 1.
-- One row per order outside of these.
SELECT
    order_id,
    user_id,
    order_number,
    order_dow,
    order_hour_of_day
FROM ${RawDatabase}.orders
WHERE
    TRY_CAST(order_dow AS integer) NOT BETWEEN 0 AND 6
    OR TRY_CAST(order_hour_of_day AS integer) NOT BETWEEN 0 AND 23
    OR TRY_CAST(order_number AS integer) < 1
