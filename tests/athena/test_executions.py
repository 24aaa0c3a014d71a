"""The life of an execution: tokens, parameters, pages, stopping, work groups, restarts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.athena.asked import read_statement
from localaws.athena.outcomes import as_query_error
from localaws.core.signals import JobEnded
from tests.athena.conftest import OUTPUT

ENDLESS = (
    "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x), UNNEST(sequence(1, 10000)) AS b(y), "
    "UNNEST(sequence(1, 10000)) AS c(z) WHERE x * y * z % 7 = 3"
)


def test_the_same_token_is_the_same_execution(athena: Any) -> None:
    first = athena.start("SELECT 1", ClientRequestToken="t" * 32)
    assert athena.start("SELECT 1", ClientRequestToken="t" * 32) == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        athena.start("SELECT 2", ClientRequestToken="t" * 32)


def test_results_come_in_pages_with_a_header_and_nulls(athena: Any) -> None:
    done = athena.run(
        'SELECT x, CAST(NULL AS double) AS "N" FROM UNNEST(sequence(1, 3)) AS t(x) ORDER BY x'
    )
    execution_id = done["QueryExecutionId"]
    first = athena.client.get_query_results(QueryExecutionId=execution_id, MaxResults=2)
    second = athena.client.get_query_results(
        QueryExecutionId=execution_id, NextToken=first["NextToken"]
    )

    assert first["ResultSet"]["Rows"] == [
        {"Data": [{"VarCharValue": "x"}, {"VarCharValue": "n"}]},
        {"Data": [{"VarCharValue": "1"}, {}]},
    ]
    assert len(second["ResultSet"]["Rows"]) == 2 and "NextToken" not in second
    kinds = [(c["Name"], c["Type"]) for c in first["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    assert kinds == [("x", "bigint"), ("n", "double")]
    assert athena.keys("athena-results/") == [
        f"athena-results/{execution_id}.csv",
        f"athena-results/{execution_id}.csv.metadata",
    ]
    text = athena.local.objects.path("lake", f"athena-results/{execution_id}.csv").read_text()
    assert text == '"x","n"\n"1",\n"2",\n"3",\n'


@pytest.mark.parametrize(
    ("sql", "parameters", "rows"),
    [
        ("SELECT ? + ?, ?", ["1", "2", "3"], [["3", "3"]]),
        (
            "WITH c AS (SELECT x FROM (VALUES 1, 2, 3) t(x) WHERE x > ?) "
            "SELECT x FROM c WHERE x < ?",
            ["1", "3"],
            [["2"]],
        ),
        ("SELECT CASE WHEN ? = 1 THEN ? ELSE ? END FROM (VALUES ?) t(x) WHERE x = ? OFFSET 0 "
         "LIMIT 1", ["1", "'a'", "'b'", "7", "7"], [["a"]]),
        ("SELECT ?, ?", ["abc", "it's"], [["abc", "it's"]]),
        ("SELECT ?, ? IS NULL", ["DATE '2024-01-01'", "NULL"], [["2024-01-01", "true"]]),
        ("SELECT 1", ["ignored"], [["1"]]),
    ],
)  # fmt: skip
def test_parameters_are_bound_in_the_order_of_the_text(
    athena: Any, sql: str, parameters: list[str], rows: list[list[str]]
) -> None:
    assert athena.rows(sql, ExecutionParameters=parameters) == rows


def test_execute_binds_in_the_order_of_the_text(athena: Any) -> None:
    athena.run("PREPARE three FROM SELECT x * ? + ? FROM (VALUES ?) t(x)")
    execution_id = athena.run("EXECUTE three USING 10, 1, 7")["QueryExecutionId"]
    rows = athena.client.get_query_results(QueryExecutionId=execution_id)["ResultSet"]["Rows"]
    assert rows[1] == {"Data": [{"VarCharValue": "71"}]}


def test_a_statement_in_a_text_is_executed_at_once(athena: Any) -> None:
    sql = "EXECUTE IMMEDIATE 'SELECT x || ? FROM (VALUES ''a'') t(x)' USING 'b'"
    execution_id = athena.run(sql)["QueryExecutionId"]
    rows = athena.client.get_query_results(QueryExecutionId=execution_id)["ResultSet"]["Rows"]
    assert rows[1] == {"Data": [{"VarCharValue": "ab"}]}


@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ("SELECT 1", ("DML", "SELECT")),
        ("EXPLAIN SELECT 1", ("DML", "EXPLAIN")),
        ("CREATE TABLE t AS SELECT 1 AS a", ("DDL", "CREATE_TABLE_AS_SELECT")),
        ("INSERT INTO t SELECT 1", ("DML", "INSERT")),
        ("DROP TABLE t", ("DDL", "DROP_TABLE")),
        ("SHOW TABLES", ("UTILITY", "SHOW_TABLES")),
        ("SHOW TBLPROPERTIES t", ("UTILITY", "SHOW_TABLE_PROPERTIES")),
        ("DESCRIBE t", ("UTILITY", "DESCRIBE_TABLE")),
        ("MSCK REPAIR TABLE t", ("DDL", "MSCK_REPAIR")),
        ("ALTER TABLE t ADD COLUMNS (b int)", ("DDL", "ALTER_TABLE_ADD_COLUMN")),
        ("ALTER TABLE t SET TBLPROPERTIES ('a' = 'b')", ("DDL", "ALTER_TABLE_PROPERTIES")),
        ("ALTER TABLE t DROP PARTITION (k = 1)", ("DDL", "ALTER_TABLE_DROP_PARTITION")),
    ],
)
def test_the_kinds_of_statements_are_those_recorded(sql: str, kinds: tuple[str, str]) -> None:
    statement = read_statement(sql)
    assert kinds == (statement.TYPE, statement.SUBTYPE)


def test_names_of_columns_may_stand_twice(athena: Any) -> None:
    execution_id = athena.run('SELECT x, x, x AS "a\nb" FROM (VALUES 1) t(x)')["QueryExecutionId"]
    found = athena.client.get_query_results(QueryExecutionId=execution_id)["ResultSet"]
    assert [column["Name"] for column in found["ResultSetMetadata"]["ColumnInfo"]] == [
        "x",
        "x",
        "a\nb",
    ]
    names, row = found["Rows"]
    assert [cell["VarCharValue"] for cell in names["Data"]] == ["x", "x", "a\nb"]
    assert [cell["VarCharValue"] for cell in row["Data"]] == ["1", "1", "1"]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1 / 0", 1001),
        ("SELECT 1 + 'a'", 1002),
        ("SELECT x", 1006),
        ("SELECT CAST('a' AS bigint)", 1100),
        ("SELECT sequence(1, 2, 0)", 1106),
        ("SELECT * FROM nowhere", 1301),
        ("SELECT f(1)", 1303),
    ],
)
def test_a_failure_has_the_type_that_athena_gives_it(athena: Any, sql: str, kind: int) -> None:
    error = athena.wait(athena.start(sql))["Status"]["AthenaError"]
    assert (error["ErrorCategory"], error["ErrorType"]) == (2, kind)


def test_parameters_fill_the_question_marks(athena: Any) -> None:
    sql = "SELECT x FROM (VALUES 'a', 'b') AS t(x) WHERE x = ?"
    assert athena.rows(sql, ExecutionParameters=["'b'"]) == [["b"]]
    assert (
        athena.failure(sql)
        == "INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 1 but found 0"
    )
    athena.run("PREPARE pick FROM " + sql)
    execute = athena.run("EXECUTE pick USING 'a'")
    rows = athena.client.get_query_results(QueryExecutionId=execute["QueryExecutionId"])[
        "ResultSet"
    ]["Rows"]
    assert rows[1] == {"Data": [{"VarCharValue": "a"}]}


def test_stopping_interrupts_the_query(athena: Any) -> None:
    ended = []
    athena.local.signals.subscribe(JobEnded, lambda signal: ended.append(asdict(signal)))
    execution_id = athena.start(ENDLESS)
    while (
        athena.client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"][
            "Status"
        ]["State"]
        == "QUEUED"
    ):
        pass
    athena.client.stop_query_execution(QueryExecutionId=execution_id)

    assert athena.wait(execution_id)["Status"]["State"] == "CANCELLED"
    assert {"service": "athena", "id": execution_id} in ended
    with pytest.raises(ClientError, match="Final query state: CANCELLED"):
        athena.client.get_query_results(QueryExecutionId=execution_id)


def test_two_run_and_the_third_waits(athena: Any) -> None:
    ids = [athena.start(ENDLESS) for _ in range(3)]
    third = athena.client.get_query_execution(QueryExecutionId=ids[2])["QueryExecution"]
    assert third["Status"]["State"] == "QUEUED"
    for execution_id in reversed(ids):
        athena.client.stop_query_execution(QueryExecutionId=execution_id)
    assert [athena.wait(i)["Status"]["State"] for i in ids] == ["CANCELLED"] * 3


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        ("SELEC 1", "InvalidRequestException", "line 1:1: mismatched input 'SELEC'"),
        (
            "SELECT a FROM `t`",
            "InvalidRequestException",
            "line 1:15: backquoted identifiers are not supported",
        ),
        (
            "SELECT 1; SELECT 2",
            "InvalidRequestException",
            "Only one sql statement is allowed. Got: SELECT 1; SELECT 2",
        ),
        ("ANALYZE t", "NotEmulated", "The statement is ANALYZE t"),
        ("GRANT r TO u", "NotEmulated", "The statement is GRANT r"),
    ],
)
def test_what_is_no_statement_is_refused_at_once(
    athena: Any, sql: str, code: str, message: str
) -> None:
    with pytest.raises(ClientError) as caught:
        athena.start(sql)
    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]


def test_a_result_answers_the_same_query_again_if_that_is_asked_for(athena: Any) -> None:
    asked = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}

    def reused(sql: str, **more: Any) -> tuple[bool, str]:
        found = athena.run(sql, ResultReuseConfiguration=asked, **more)
        how = found["ResultReuseConfiguration"]["ResultReuseByAgeConfiguration"]
        assert how == asked["ResultReuseByAgeConfiguration"]
        told = found["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
        return told, found["ResultConfiguration"]["OutputLocation"]

    athena.run("CREATE TABLE one AS SELECT 1 AS x")
    sql = "SELECT x FROM one"
    first, place = reused(sql)
    assert (first, reused(sql)) == (False, (True, place))
    athena.run("INSERT INTO one VALUES 2")  # that data has changed is not looked at, as on AWS
    assert reused(sql) == (True, place)
    assert not reused(f"{sql} ")[0]
    assert len(athena.rows(sql)) == 2  # who does not ask gets the query run
    for again in ("SELECT now()", "SELECT x, random() FROM one", "SELECT x FROM one LIMIT 1"):
        assert [reused(again)[0] for _ in range(2)] == [False, False], again
    athena.s3.delete_object(Bucket="lake", Key=place.removeprefix("s3://lake/"))
    assert not reused(sql, QueryExecutionContext={"Database": "shop", "Catalog": "AwsDataCatalog"})[
        0
    ]
    asked["ResultReuseByAgeConfiguration"]["MaxAgeInMinutes"] = 10_081
    with pytest.raises(ClientError, match="MaxAgeInMinutes is 10081; it is 0 to 10080"):
        athena.start(sql, ResultReuseConfiguration=asked)


def test_results_are_encrypted_as_s3_does_it_and_not_by_a_key(athena: Any) -> None:
    given = {"OutputLocation": OUTPUT, "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    shown = athena.run("SELECT 1", ResultConfiguration=given)["ResultConfiguration"]
    assert shown["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    athena.client.update_work_group(
        WorkGroup="primary", ConfigurationUpdates={"ResultConfigurationUpdates": given}
    )
    assert athena.run("SELECT 1")["ResultConfiguration"]["EncryptionConfiguration"]
    given["EncryptionConfiguration"] = {"EncryptionOption": "CSE_KMS"}
    with pytest.raises(ClientError, match="EncryptionOption CSE_KMS"):
        athena.start("SELECT 1", ResultConfiguration=given)


def test_of_many_ids_those_that_are_not_there_are_told(athena: Any) -> None:
    missing = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
    ran = athena.run("SELECT 1")["QueryExecutionId"]
    answer = athena.client.batch_get_query_execution(QueryExecutionIds=[missing, ran])
    assert [one["QueryExecutionId"] for one in answer["QueryExecutions"]] == [ran]
    assert [one["QueryExecutionId"] for one in answer["UnprocessedQueryExecutionIds"]] == [missing]

    saved = athena.client.create_named_query(Name="n", Database="shop", QueryString="SELECT 1")
    kept = saved["NamedQueryId"]
    answer = athena.client.batch_get_named_query(NamedQueryIds=[kept, missing])
    assert [one["NamedQueryId"] for one in answer["NamedQueries"]] == [kept]
    [told] = answer["UnprocessedNamedQueryIds"]
    assert told["NamedQueryId"] == missing
    assert told["ErrorMessage"]


def test_work_groups_and_their_tags_are_listed_in_pages(athena: Any) -> None:
    tags = [{"Key": key, "Value": "v"} for key in "ab"]
    for name in ("alpha", "zeta"):
        athena.client.create_work_group(Name=name, Tags=tags)
    first = athena.client.list_work_groups(MaxResults=2)
    rest = athena.client.list_work_groups(MaxResults=2, NextToken=first["NextToken"])
    names = [[group["Name"] for group in page["WorkGroups"]] for page in (first, rest)]
    assert names == [["alpha", "primary"], ["zeta"]]
    assert "NextToken" not in rest
    arn = f"arn:aws:athena:{athena.client.meta.region_name}:{athena.local.account}:workgroup/alpha"
    assert athena.client.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    with pytest.raises(ClientError, match="was not given by this list"):
        athena.client.list_work_groups(NextToken="x")


def test_a_work_group_that_enforces_decides_where_results_go(athena: Any) -> None:
    athena.client.create_work_group(
        Name="strict",
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://lake/strict/"},
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
    )
    done = athena.run("SELECT 1", WorkGroup="strict")
    assert done["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/strict/")
    assert "enforces a centralized output location" in athena.failure(
        "CREATE TABLE t WITH (external_location = 's3://lake/x/') AS SELECT 1 AS a",
        WorkGroup="strict",
    )
    athena.run("CREATE TABLE t AS SELECT 1 AS a", WorkGroup="strict")
    location = athena.glue.get_table(DatabaseName="shop", Name="t")["Table"]["StorageDescriptor"][
        "Location"
    ]
    assert location.startswith("s3://lake/strict/tables/")
    athena.client.update_work_group(
        WorkGroup="strict", ConfigurationUpdates={"EnforceWorkGroupConfiguration": False}
    )
    athena.run(
        "CREATE TABLE u WITH (external_location = 's3://lake/u/') AS SELECT 1 AS a",
        WorkGroup="strict",
    )
    assert len(athena.client.list_query_executions(WorkGroup="strict")["QueryExecutionIds"]) == 4


def test_a_query_above_the_byte_limit_is_cancelled(athena: Any) -> None:
    athena.client.create_work_group(
        Name="small",
        Configuration={
            "EnforceWorkGroupConfiguration": False,
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
    )
    athena.put("big/a.csv", "x" * 99 + "\n" + ("y" * 99 + "\n") * 110_000)
    athena.run("CREATE EXTERNAL TABLE big (a string) LOCATION 's3://lake/big/'")
    found = athena.wait(athena.start("SELECT count(*) FROM big", WorkGroup="small"))
    assert found["Status"]["State"] == "CANCELLED"
    assert found["Status"]["StateChangeReason"].startswith("Bytes scanned limit was exceeded")


def test_no_output_location_is_an_invalid_request(athena: Any) -> None:
    with pytest.raises(ClientError, match="No output location provided"):
        athena.client.start_query_execution(QueryString="SELECT 1")


@pytest.mark.parametrize("place", ["file:///tmp/x", "s3://", "s3:///x", "http://x/", "S3://lake/x"])
def test_an_output_location_that_is_no_place_in_s3_is_an_invalid_request(
    athena: Any, place: str
) -> None:
    given = {"OutputLocation": place}
    with pytest.raises(ClientError, match="outputLocation is not a valid S3 path"):
        athena.client.start_query_execution(QueryString="SELECT 1", ResultConfiguration=given)
    with pytest.raises(ClientError, match="outputLocation is not a valid S3 path"):
        athena.client.create_work_group(
            Name="nowhere", Configuration={"ResultConfiguration": given}
        )


def test_a_query_that_a_restart_cut_off_is_run_again(athena: Any, tmp_path: Path) -> None:
    from localaws.core.aws import start
    from localaws.services import factories

    execution_id = athena.start(ENDLESS)
    while (
        athena.client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"][
            "Status"
        ]["State"]
        == "QUEUED"
    ):
        pass
    done = athena.run("CREATE TABLE kept AS SELECT 1 AS a")
    athena.local.stop()
    names = ("localaws.s3", "localaws.glue", "localaws.athena")
    again = start(
        tmp_path / "home",
        [f for f in factories() if f.__module__.startswith(names)],
        url="http://127.0.0.1:9",
    )

    client = again.client("athena")
    status = client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]["Status"]
    assert status["State"] in ("QUEUED", "RUNNING")
    client.stop_query_execution(QueryExecutionId=execution_id)
    assert (
        client.get_query_execution(QueryExecutionId=done["QueryExecutionId"])["QueryExecution"][
            "Status"
        ]["State"]
        == "SUCCEEDED"
    )
    assert (
        again.client("glue").get_table(DatabaseName="shop", Name="kept")["Table"]["Name"] == "kept"
    )
    again.stop()


def run_as_if_cut_off(athena: Any, statement: str) -> str:
    """Runs it, and starts the service as after a death between the effect and the end; its id."""
    execution_id: str = athena.run(statement)["QueryExecutionId"]
    documents = athena.local.documents
    document = documents.get("athena-executions", execution_id)
    document["Status"] |= {"State": "RUNNING"}
    documents.put("athena-executions", execution_id, document)
    for starter in athena.local.gateway.services["athena"].starters:
        starter()
    return execution_id


@pytest.mark.parametrize(
    ("before", "statement"),
    [
        ([], "CREATE TABLE kept AS SELECT a FROM (VALUES 1, 2) AS t (a)"),
        (["CREATE TABLE kept AS SELECT 1 AS a"], "INSERT INTO kept SELECT 2 AS a"),
        (
            ["CREATE TABLE both AS SELECT a FROM (VALUES 1, 2) AS t (a)"],
            "CREATE VIEW kept AS SELECT a FROM both",
        ),
    ],
    ids=["ctas", "insert", "view"],
)
def test_what_a_cut_off_attempt_had_made_is_not_there_twice(
    athena: Any, before: list[str], statement: str
) -> None:
    """The server dies between a statement's effect and its end: the statement is done again."""
    for other in before:
        athena.run(other)
    execution_id = run_as_if_cut_off(athena, statement)

    assert athena.wait(execution_id)["Status"]["State"] == "SUCCEEDED"
    assert athena.rows("SELECT a FROM kept ORDER BY a") == [["1"], ["2"]]


PARTED = (
    "CREATE EXTERNAL TABLE parted (a int) PARTITIONED BY (k string) STORED AS PARQUET"
    " LOCATION 's3://lake/parted/'"
)


@pytest.mark.parametrize(
    ("before", "statement"),
    [
        ([PARTED], "DROP TABLE parted"),
        ([PARTED], "ALTER TABLE parted ADD COLUMNS (b int)"),
        ([PARTED], "ALTER TABLE parted ADD PARTITION (k='1') PARTITION (k='2')"),
        ([PARTED, "ALTER TABLE parted ADD PARTITION (k='1')"],
         "ALTER TABLE parted DROP PARTITION (k='1')"),
        ([], "CREATE DATABASE other"),
        (["CREATE DATABASE other"], "DROP DATABASE other"),
        (["CREATE VIEW v AS SELECT 1 AS a"], "DROP VIEW v"),
    ],
    ids=["drop-table", "add-columns", "add-partitions", "drop-partition", "create-database",
         "drop-database", "drop-view"],
)  # fmt: skip
def test_a_change_that_a_cut_off_attempt_had_made_is_no_error_the_second_time(
    athena: Any, before: list[str], statement: str
) -> None:
    for other in before:
        athena.run(other)
    execution_id = run_as_if_cut_off(athena, statement)

    assert athena.wait(execution_id)["Status"]["State"] == "SUCCEEDED"
    assert athena.failure(statement)  # another statement of the same words


def test_a_ctas_that_is_run_again_leaves_another_statements_table_alone(athena: Any) -> None:
    """It was queued when the server died, and another statement has made the table since."""
    athena.run("CREATE TABLE kept AS SELECT 1 AS a")
    execution_id = athena.wait(athena.start("CREATE TABLE kept AS SELECT 2 AS a"))[
        "QueryExecutionId"
    ]
    queue_again(
        athena, execution_id, before=athena.glue.get_table(DatabaseName="shop", Name="kept")
    )

    assert athena.wait(execution_id)["Status"]["StateChangeReason"].startswith(
        "TABLE_ALREADY_EXISTS"
    )
    assert athena.rows("SELECT a FROM kept") == [["1"]]


def queue_again(athena: Any, execution_id: str, before: Any) -> None:
    """As after a death while it was queued, submitted before the table `before` was made."""
    documents = athena.local.documents
    document = documents.get("athena-executions", execution_id)
    submitted = before["Table"]["CreateTime"] - timedelta(seconds=1)
    document["Status"] = {"State": "QUEUED", "SubmissionDateTime": submitted}
    documents.put("athena-executions", execution_id, document)
    for starter in athena.local.gateway.services["athena"].starters:
        starter()


def test_a_stored_query_that_is_not_read_any_more_fails_alone(athena: Any) -> None:
    broken = athena.run("SELECT 1")["QueryExecutionId"]
    good = athena.run("SELECT 2")["QueryExecutionId"]
    documents = athena.local.documents
    for execution_id, sql in ((broken, "SELEC 1"), (good, "SELECT 2")):
        document = documents.get("athena-executions", execution_id)
        document |= {"Query": sql}
        document["Status"] |= {"State": "QUEUED"}
        del document["Result"]  # it had not ended
        documents.put("athena-executions", execution_id, document)

    for starter in athena.local.gateway.services["athena"].starters:
        starter()

    assert athena.wait(good)["Status"]["State"] == "SUCCEEDED"
    status = athena.wait(broken)["Status"]
    assert status["State"] == "FAILED"
    assert "line 1:1: mismatched input 'SELEC'" in status["StateChangeReason"]


def test_files_of_an_attempt_that_was_cut_off_before_its_table_are_not_there_twice(
    athena: Any,
) -> None:
    """The server dies after the files are in S3 and before the catalog knows the table."""
    execution_id = athena.run(
        "CREATE TABLE kept WITH (external_location = 's3://lake/kept/') AS SELECT 1 AS a"
    )["QueryExecutionId"]
    (key,) = athena.keys("kept/")
    data = athena.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    athena.glue.delete_table(DatabaseName="shop", Name="kept")
    other = key.replace("_00000_", "_00009_")  # as of another second
    athena.s3.put_object(Bucket="lake", Key=other, Body=data)
    documents = athena.local.documents
    document = documents.get("athena-executions", execution_id)
    document["Status"] |= {"State": "RUNNING"}
    del document["Result"]
    documents.put("athena-executions", execution_id, document)

    for starter in athena.local.gateway.services["athena"].starters:
        starter()

    assert athena.wait(execution_id)["Status"]["State"] == "SUCCEEDED"
    assert athena.rows("SELECT a FROM kept") == [["1"]]


def test_a_query_leaves_no_folder_behind(athena: Any) -> None:
    athena.put("t/a.csv", '1,"x\n')
    athena.run(
        "CREATE EXTERNAL TABLE t (a string, b string) ROW FORMAT SERDE "
        "'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://lake/t/'"
    )
    athena.run("SELECT * FROM t")
    athena.failure("SELECT CAST(b AS integer) FROM (SELECT 'x' AS b FROM t) AS u")
    athena.run("CREATE TABLE u AS SELECT * FROM t")

    folder = athena.local.home.directory("athena-work")
    assert [path.name for path in folder.iterdir() if path.name != "spill"] == []


def test_a_fault_of_ours_is_an_internal_error_that_tells_no_secret() -> None:
    told = as_query_error(KeyError("/home/somebody/objects"))

    assert told.code == "GENERIC_INTERNAL_ERROR"
    assert "somebody" not in str(told)
