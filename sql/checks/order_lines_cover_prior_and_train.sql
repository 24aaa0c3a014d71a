-- Prior orders have lines, and so have train orders: neither of the two files is missing.
SELECT needed.eval_set
FROM (VALUES ('prior'), ('train')) AS needed (eval_set)
WHERE
    needed.eval_set NOT IN (
        SELECT orders.eval_set
        FROM ${RawDatabase}.order_products AS lines
        INNER JOIN ${RawDatabase}.orders AS orders
            ON orders.order_id = lines.order_id
        GROUP BY orders.eval_set
    )
