-- One row per day and product: how many were sold, and for how much.
-- The folder is the run's own: its name is filled in there.
CREATE TABLE daily
WITH (format = 'PARQUET', external_location = 's3://${Bucket}/daily/{}/')
AS
SELECT
    day,
    product,
    count(*) AS sales,
    sum(amount) AS revenue
FROM sales
GROUP BY day, product
