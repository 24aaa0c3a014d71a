-- At least one order is a train order and at least one a prior order: else nothing can be learned.
-- One row if that is not so: how many orders there are of each.
SELECT
    count(CASE WHEN trim(eval_set) = 'train' THEN 1 END) AS train_orders,
    count(CASE WHEN trim(eval_set) = 'prior' THEN 1 END) AS prior_orders
FROM ${RawDatabase}.orders
HAVING
    count(CASE WHEN trim(eval_set) = 'train' THEN 1 END) = 0
    OR count(CASE WHEN trim(eval_set) = 'prior' THEN 1 END) = 0
