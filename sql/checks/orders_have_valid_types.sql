-- Every number of an order is written in digits; only the gap may have decimals or be empty.
-- One row per order that breaks this, as it stands in the file. Regular expressions, not TRY_CAST:
-- a cast may accept what the cleaning recipe would not read the same way (1e3, 3.7, NaN).
SELECT
    order_id,
    user_id,
    order_number,
    order_dow,
    order_hour_of_day,
    days_since_prior_order
FROM ${RawDatabase}.orders
WHERE
    NOT coalesce(regexp_like(order_id, '^[0-9]{1,18}$'), false)
    OR NOT coalesce(regexp_like(user_id, '^[0-9]{1,18}$'), false)
    OR NOT coalesce(regexp_like(order_number, '^[0-9]{1,9}$'), false)
    OR NOT coalesce(regexp_like(order_dow, '^[0-9]{1,9}$'), false)
    OR NOT coalesce(regexp_like(order_hour_of_day, '^[0-9]{1,9}$'), false)
    OR NOT regexp_like(coalesce(days_since_prior_order, ''), '^([0-9]{1,9}([.][0-9]{1,9})?)?$')
