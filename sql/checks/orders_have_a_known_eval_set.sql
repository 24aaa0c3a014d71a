-- The eval_set of an order is prior, train, test, or empty (as prior).
-- One row per order with another one.
SELECT
    order_id,
    user_id,
    eval_set
FROM ${RawDatabase}.orders
WHERE coalesce(trim(eval_set), '') NOT IN ('prior', 'train', 'test', '')
