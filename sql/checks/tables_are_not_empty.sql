-- Every raw table has at least one row.
-- One row per empty table: its name.
SELECT 'aisles' AS table_name
WHERE NOT EXISTS (SELECT 1 FROM ${RawDatabase}.aisles)
UNION ALL
SELECT 'departments' AS table_name
WHERE NOT EXISTS (SELECT 1 FROM ${RawDatabase}.departments)
UNION ALL
SELECT 'products' AS table_name
WHERE NOT EXISTS (SELECT 1 FROM ${RawDatabase}.products)
UNION ALL
SELECT 'orders' AS table_name
WHERE NOT EXISTS (SELECT 1 FROM ${RawDatabase}.orders)
UNION ALL
SELECT 'order_products' AS table_name
WHERE NOT EXISTS (SELECT 1 FROM ${RawDatabase}.order_products)
