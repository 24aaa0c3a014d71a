-- One row per product of the catalogue: what people call it, for whoever is told a prediction.
-- As it was when the run's raw files were checked, so that names fit the model that is published.
CREATE TABLE ${Database}.products_${run}${try}
WITH (
    format = 'PARQUET',
    write_compression = 'SNAPPY',
    external_location = 's3://${LakeBucket}/runs/run=${run}/features/products${try}/'
) AS
SELECT
    CAST(products.product_id AS bigint) AS product_id,
    products.product_name,
    aisles.aisle,
    departments.department
FROM ${RawDatabase}.products AS products
INNER JOIN ${RawDatabase}.aisles AS aisles ON aisles.aisle_id = products.aisle_id
INNER JOIN ${RawDatabase}.departments AS departments
    ON departments.department_id = products.department_id
