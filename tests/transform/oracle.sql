-- The 18 features once more, from the raw tables in one DuckDB query, written from their
-- definitions and apart from the chain: what the chain must agree with.
-- One row per (user, product of a prior order): users whose orders are all prior have a next one.
WITH o AS (
    SELECT order_id::BIGINT AS order_id, user_id::BIGINT AS user_id, trim(eval_set) AS eval_set,
        order_number::INT AS order_number, nullif(days_since_prior_order, '')::DOUBLE AS gap
    FROM raw.orders
), prior AS (
    SELECT o.*, l.product_id::BIGINT AS product_id, l.add_to_cart_order::INT AS position,
        l.reordered::INT AS reordered
    FROM raw.order_products AS l JOIN o ON o.order_id = l.order_id::BIGINT AND eval_set = 'prior'
), target AS (
    SELECT user_id, order_id, eval_set FROM o WHERE eval_set <> 'prior'
    UNION ALL
    SELECT user_id, -1 - user_id, 'next' FROM o GROUP BY user_id HAVING bool_and(eval_set = 'prior')
), ranked AS (
    SELECT *, rank() OVER (PARTITION BY user_id, product_id ORDER BY order_number) AS nth FROM prior
), prod AS (
    SELECT product_id, count(*) AS prod_orders, sum(reordered) AS reorders,
        count(*) FILTER (nth = 1) AS firsts, count(*) FILTER (nth = 2) AS seconds
    FROM ranked GROUP BY product_id
), days AS (
    SELECT user_id, max(order_number) AS user_orders, sum(gap) AS period, avg(gap) AS mean_gap
    FROM o WHERE eval_set = 'prior' GROUP BY user_id
), baskets AS (
    SELECT user_id, count(*) AS total, count(DISTINCT product_id) AS products,
        sum(reordered) / nullif(count(*) FILTER (order_number > 1), 0) AS reorder_ratio
    FROM prior GROUP BY user_id
), pair AS (
    SELECT user_id, product_id, count(*) AS n, avg(position) AS position,
        min(order_number) AS first_order, max(order_number) AS last_order
    FROM prior GROUP BY user_id, product_id
)
SELECT
    t.eval_set, user_id, product_id, t.order_id,
    EXISTS (
        FROM raw.order_products AS l
        WHERE l.order_id::BIGINT = t.order_id AND l.product_id::BIGINT = pair.product_id
    )::INT AS label,
    n, mean_gap, coalesce(period, 0), products, reorder_ratio, total, position, first_order,
    user_orders, last_order, prod_orders, seconds / firsts, 1 + reorders / firsts,
    reorders / prod_orders, total / user_orders, n / user_orders, user_orders - last_order,
    n / (user_orders - first_order + 1)
FROM pair JOIN target AS t USING (user_id) JOIN days USING (user_id) JOIN baskets USING (user_id)
    JOIN prod USING (product_id)
ORDER BY user_id, product_id
