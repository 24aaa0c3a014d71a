-- Every raw table has at least one row.
-- One row per empty table: its name.
SELECT 'aisles' AS table_name
FROM ${RawDatabase}.aisles
HAVING count(*) = 0
UNION ALL
SELECT 'departments' AS table_name
FROM ${RawDatabase}.departments
HAVING count(*) = 0
UNION ALL
SELECT 'products' AS table_name
FROM ${RawDatabase}.products
HAVING count(*) = 0
UNION ALL
SELECT 'orders' AS table_name
FROM ${RawDatabase}.orders
HAVING count(*) = 0
UNION ALL
SELECT 'order_products' AS table_name
FROM ${RawDatabase}.order_products
HAVING count(*) = 0
