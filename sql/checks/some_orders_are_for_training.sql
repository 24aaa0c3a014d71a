-- Some customer has an order to learn from (train, or nothing but prior ones), and some order is a prior one.
-- One row if that is not so: how many orders there are of each, and how many customers.
SELECT
    count(CASE WHEN trim(eval_set) = 'train' THEN 1 END) AS train_orders,
    count(CASE WHEN coalesce(trim(eval_set), '') IN ('prior', '') THEN 1 END) AS prior_orders,
    count(DISTINCT user_id) AS customers,
    count(DISTINCT CASE WHEN trim(eval_set) = 'test' THEN user_id END) AS test_customers
FROM ${RawDatabase}.orders
HAVING
    count(CASE WHEN coalesce(trim(eval_set), '') IN ('prior', '') THEN 1 END) = 0
    OR (
        count(CASE WHEN trim(eval_set) = 'train' THEN 1 END) = 0
        AND count(DISTINCT user_id)
        = count(DISTINCT CASE WHEN trim(eval_set) = 'test' THEN user_id END)
    )
