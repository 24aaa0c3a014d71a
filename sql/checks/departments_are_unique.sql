-- No department stands twice in departments.
-- One row per repeated department_id: how many rows share it.
SELECT
    TRY_CAST(department_id AS bigint) AS department_id,
    count(*) AS rows_found
FROM ${RawDatabase}.departments
WHERE TRY_CAST(department_id AS bigint) IS NOT NULL
GROUP BY TRY_CAST(department_id AS bigint)
HAVING count(*) > 1
