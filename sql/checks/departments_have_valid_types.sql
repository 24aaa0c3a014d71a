-- Every department has a name, and its id is written in digits.
-- One row per department that breaks this, as it stands in the file.
SELECT
    department_id,
    department
FROM ${RawDatabase}.departments
WHERE
    NOT coalesce(regexp_like(department_id, '^[0-9]{1,18}$'), false)
    OR trim(coalesce(department, '')) = ''
