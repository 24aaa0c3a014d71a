-- Prior orders have lines, and so have train orders: neither of the two files is missing.
-- One row per eval_set whose orders have no line at all.
SELECT needed.eval_set
FROM (VALUES ('prior'), ('train')) AS needed (eval_set)
WHERE
    needed.eval_set NOT IN (
        SELECT trim(orders.eval_set)
        FROM ${RawDatabase}.order_products AS lines
        INNER JOIN ${RawDatabase}.orders AS orders
            ON TRY_CAST(orders.order_id AS bigint) = TRY_CAST(lines.order_id AS bigint)
        WHERE orders.eval_set IS NOT NULL
        GROUP BY trim(orders.eval_set)
    )
