-- Prior orders have lines, and so have train orders: neither of the two files is missing.
-- One row per eval_set whose orders have no line at all.
SELECT 'prior' AS eval_set
FROM ${RawDatabase}.order_products
HAVING
    count(
        CASE
            WHEN TRY_CAST(order_id AS bigint) IN (
                SELECT TRY_CAST(order_id AS bigint)
                FROM ${RawDatabase}.orders
                WHERE coalesce(trim(eval_set), '') IN ('prior', '')
            ) THEN 1
        END
    ) = 0
UNION ALL
SELECT 'train' AS eval_set
FROM ${RawDatabase}.order_products
HAVING
    count(
        CASE
            WHEN TRY_CAST(order_id AS bigint) IN (
                SELECT TRY_CAST(order_id AS bigint)
                FROM ${RawDatabase}.orders
                WHERE trim(eval_set) = 'train'
            ) THEN 1
        END
    ) = 0
    AND (SELECT count(*) FROM ${RawDatabase}.orders WHERE trim(eval_set) = 'train') > 0
