-- Every aisle has a name, and its id is written in digits.
-- One row per aisle that breaks this, as it stands in the file.
SELECT
    aisle_id,
    aisle
FROM ${RawDatabase}.aisles
WHERE
    NOT coalesce(regexp_like(aisle_id, '^[0-9]{1,18}$'), false)
    OR trim(coalesce(aisle, '')) = ''
