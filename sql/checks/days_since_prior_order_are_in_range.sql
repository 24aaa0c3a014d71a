-- The days since the prior order run from 0 to 30; only a user's first order may have none.
-- One row per order that breaks this.
SELECT
    order_id,
    user_id,
    order_number,
    days_since_prior_order
FROM ${RawDatabase}.orders
WHERE
    TRY_CAST(days_since_prior_order AS double) NOT BETWEEN 0 AND 30
    OR (
        trim(coalesce(days_since_prior_order, '')) = ''
        AND TRY_CAST(order_number AS integer) <> 1
    )
