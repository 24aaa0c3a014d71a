"""Jobs that find their database through a connection; Derby comes with Spark."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.glue_jobs.conftest import ENDED

SCRIPT = """
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from pyspark.context import SparkContext

context = GlueContext(SparkContext.getOrCreate())
data = context.spark_session.createDataFrame([(1, "ann"), (2, "bob")], "id int, name string")
frame = DynamicFrame.fromDF(data, context, "people")
context.write_dynamic_frame.from_jdbc_conf(
    frame, catalog_connection="base", connection_options={"dbtable": "people", "database": "d"}
)
options = {"useConnectionProperties": "true", "connectionName": "base", "dbtable": "people"}
read = context.create_dynamic_frame.from_options("jdbc", options)
print(sorted((row["id"], row["name"]) for row in read.toDF().collect()))
table = context.create_dynamic_frame.from_catalog(database="shop", table_name="d_app_people")
print(table.name, table.count())
carts = context.spark_session.createDataFrame(
    [("a", 1, 0.5, ["x"], None)], "id string, n int, share double, tags array<string>, none string")
context.write_dynamic_frame_from_options(
    frame=DynamicFrame.fromDF(carts, context, "carts"), connection_type="dynamodb",
    connection_options={"dynamodb.output.tableName": "Carts",
                        "dynamodb.throughput.write.percent": "1.0"})
options = {"dynamodb.input.tableName": "Carts", "dynamodb.splits": "2"}
back = context.create_dynamic_frame.from_options("dynamodb", options)
print(sorted(back.toDF().first().asDict().items()))
for folder in ("old", "young"):
    context.write_dynamic_frame.from_options(frame, "s3", {"path": f"s3://lake/{folder}/"}, "json")
context.purge_s3_path("s3://lake/old", {"retentionPeriod": 0})
context.purge_s3_path("s3://lake/young", {})
context.purge_s3_path("s3://lake/was", {"retentionPeriod": 0})
print(context.tableNames(), context.read.json("s3://lake/young/").count())
conf = context.extract_jdbc_conf("base")
print(conf["user"], conf["password"], conf["vendor"])
"""


def run(server: Any, job: str) -> Any:
    glue = server.client("glue")
    started = glue.start_job_run(JobName=job)["JobRunId"]
    deadline = time.monotonic() + 180
    while True:
        found = glue.get_job_run(JobName=job, RunId=started)["JobRun"]
        if found["JobRunState"] in ENDED or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def test_a_job_reads_and_writes_through_its_connection(server: Any, tmp_path: Path) -> None:
    s3, glue = server.client("s3"), server.client("glue")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="job.py", Body=SCRIPT.encode())
    s3.put_object(Bucket="lake", Key="was/there", Body=b"1")
    server.client("secretsmanager").create_secret(
        Name="base", SecretString='{"username": "app", "password": "s3cret"}'
    )
    properties = {
        "JDBC_CONNECTION_URL": f"jdbc:derby:{tmp_path / 'base'};create=true", "SECRET_ID": "base",
    }  # fmt: skip
    glue.create_connection(
        ConnectionInput={
            "Name": "base", "ConnectionType": "JDBC", "ConnectionProperties": properties,
        }
    )  # fmt: skip
    glue.create_database(DatabaseInput={"Name": "shop"})
    table = {
        "Name": "d_app_people",
        "Parameters": {"classification": "derby", "connectionName": "base"},
        "StorageDescriptor": {"Location": "d.app.people", "Columns": []},
    }
    glue.create_table(DatabaseName="shop", TableInput=table)
    server.client("dynamodb").create_table(
        TableName="Carts",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    for name, connection in (("people", "base"), ("lost", "none")):
        glue.create_job(
            Name=name, Role="role", Connections={"Connections": [connection]},
            Command={"Name": "glueetl", "ScriptLocation": "s3://lake/job.py"},
        )  # fmt: skip

    found, lost = run(server, "people"), run(server, "lost")

    assert found["JobRunState"] == "SUCCEEDED", found
    output = server.home.directory("glue-runs") / found["Id"] / "output.log"
    assert output.read_text().splitlines() == [
        "[(1, 'ann'), (2, 'bob')]",
        "d_app_people 2",
        "[('id', 'a'), ('n', 1), ('share', 0.5), ('tags', ['x'])]",
        "[] 2",
        "app s3cret derby",
    ]  # fmt: skip
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="lake")["Contents"]]
    assert keys[0] == "job.py"
    assert all(key.startswith("young/") for key in keys[1:])
    assert lost["ErrorMessage"] == ("LAUNCH ERROR | Connection none: Connection none not found.")
