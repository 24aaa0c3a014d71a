-- No aisle stands twice in aisles.
-- One row per repeated aisle_id: how many rows share it.
SELECT
    TRY_CAST(aisle_id AS bigint) AS aisle_id,
    count(*) AS rows_found
FROM ${RawDatabase}.aisles
WHERE TRY_CAST(aisle_id AS bigint) IS NOT NULL
GROUP BY TRY_CAST(aisle_id AS bigint)
HAVING count(*) > 1
