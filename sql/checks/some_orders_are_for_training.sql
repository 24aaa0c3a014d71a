-- At least one order has the eval_set train and at least one prior: without them nothing is learned.
-- One row if that is not so: how many orders there are of each.
SELECT
    count_if(trim(eval_set) = 'train') AS train_orders,
    count_if(trim(eval_set) = 'prior') AS prior_orders
FROM ${RawDatabase}.orders
HAVING
    count_if(trim(eval_set) = 'train') = 0
    OR count_if(trim(eval_set) = 'prior') = 0
