"""A script as Glue Studio writes it: from tables of the catalog to a table of the catalog, which
Athena reads, and after it the steps of a script of GetPlan and the example of frames. One run, in
the whole local AWS."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests import asking

SCRIPT = '''
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsgluedq.transforms import EvaluateDataQuality
from awsglue import DynamicFrame
import gs_concat

args = getResolvedOptions(sys.argv, ["JOB_NAME"])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

DEFAULT_DATA_QUALITY_RULESET = """
    Rules = [ ColumnCount > 0 ]
"""
# Script generated for node Orders
Orders_node1 = glueContext.create_dynamic_frame.from_catalog(
    database="shop", table_name="orders", transformation_ctx="Orders_node1",
    push_down_predicate="day in ('1', '2')")
Orders_node1.printSchema()
People_node2 = glueContext.create_dynamic_frame.from_catalog(
    database="shop", table_name="people", transformation_ctx="People_node2")
described = glueContext.create_data_frame.from_catalog(database="shop", table_name="orders",
    additional_options={"useCatalogSchema": True, "useSparkDataSource": True})
print(described.dtypes, sorted(str(row.amount) for row in described.collect()))
matched = Orders_node1.resolveChoice(choice="match_catalog", database="shop", table_name="orders")
matched.printSchema()
print(sorted(str(row.amount) for row in matched.toDF().collect()))
# Script generated for node Concatenate Columns
print(People_node2.gs_concat(colName="name", colList=["userId", "userId"], spacer="-").toDF()
    .select("name").collect())
# Script generated for node Join
Resolved_node3 = ResolveChoice.apply(frame=Orders_node1, specs=[("amount", "cast:long")])
Join_node3 = Join.apply(frame1=Resolved_node3, frame2=People_node2, keys1=["buyer"],
    keys2=["userId"], transformation_ctx="Join_node3")
Change_node4 = ApplyMapping.apply(frame=Join_node3, mappings=[
    ("buyer", "string", "buyer", "string"), ("amount", "long", "amount", "bigint"),
    ("day", "string", "day", "string")], transformation_ctx="Change_node4")
EvaluateDataQuality().process_rows(frame=Change_node4, ruleset=DEFAULT_DATA_QUALITY_RULESET,
    publishing_options={"dataQualityEvaluationContext": "EvaluateDataQuality_node1",
        "enableDataQualityResultsPublishing": True},
    additional_options={"dataQualityResultsPublishing.strategy": "BEST_EFFORT",
        "observations.scope": "ALL"})
# Script generated for node Sales
Sales_node5 = glueContext.getSink(path="s3://lake/sales/", connection_type="s3",
    updateBehavior="UPDATE_IN_DATABASE", partitionKeys=["day"], enableUpdateCatalog=True,
    transformation_ctx="Sales_node5")
Sales_node5.setCatalogInfo(catalogDatabase="shop", catalogTableName="sales")
Sales_node5.setFormat("glueparquet", compression="snappy")
Sales_node5.writeFrame(Change_node4)
job.commit()
'''
STUDIO = "s3://aws-glue-studio-transforms-510798373988-prod-us-east-1"
EXAMPLE = Path(__file__).parents[2] / "examples/glue_frames/customers.py"
EXAMPLE_CALL = """
from customers import write_customers
write_customers(glueContext, "shop", "placed", "lines", "s3://lake/customers/", "customers")
"""
ORDERS = {
    1: "buyer,amount\nann,5\nbob,x1\n",
    2: "buyer,amount\nann,7\n",
    3: "buyer,amount\nann,9\n",
}


@pytest.fixture
def shop(server: Any) -> Any:
    """Orders in CSV by day, one amount of which is no number, and people in JSON."""
    s3, glue = server.client("s3"), server.client("glue")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="people/p", Body=b'{"USERID": "ann"}\n{"USERID": "bob"}\n')
    glue.create_database(DatabaseInput={"Name": "shop"})
    text = {
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    }
    csv = {
        **text,
        "Columns": [{"Name": "buyer", "Type": "string"}, {"Name": "amount", "Type": "bigint"}],
        "Location": "s3://lake/orders/",
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": ","},
        },
    }
    json = {
        **text,
        "Columns": [{"Name": "userId", "Type": "string"}],
        "Location": "s3://lake/people/",
        "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
    }
    buyers = {
        **csv,
        "Columns": [{"Name": "buyer", "Type": "string"}],
        "Location": "s3://lake/buyers/",
    }
    placed = {
        **csv,
        "Columns": [{"Name": "order_id", "Type": "bigint"}, {"Name": "user_id", "Type": "bigint"}],
        "Location": "s3://lake/placed/",
    }
    lines = {
        **csv,
        "Columns": [{"Name": "order_id", "Type": "bigint"}, {"Name": "item", "Type": "string"}],
        "Location": "s3://lake/lines/",
    }
    s3.put_object(Bucket="lake", Key="placed/p.csv", Body=b"1,7\n2,7\n3,8\n")
    s3.put_object(Bucket="lake", Key="lines/l.csv", Body=b"1,a\n1,b\n2,a\n3,c\n4,d\n")
    for name, place, keys, parameters in (
        ("placed", placed, [], {}),
        ("lines", lines, [], {}),
        ("orders", csv, [{"Name": "day", "Type": "string"}], {"skip.header.line.count": "1"}),
        ("people", json, [], {}),
        ("buyers", buyers, [], {"classification": "csv"}),
    ):
        table = {
            "Name": name,
            "StorageDescriptor": place,
            "PartitionKeys": keys,
            "Parameters": parameters,
        }
        glue.create_table(DatabaseName="shop", TableInput=table)
    for day, body in ORDERS.items():
        s3.put_object(Bucket="lake", Key=f"orders/{day}/o.csv", Body=body.encode())
        own = {**csv, "Location": f"s3://lake/orders/{day}/"}
        glue.create_partition(
            DatabaseName="shop",
            TableName="orders",
            PartitionInput={"Values": [str(day)], "StorageDescriptor": own},
        )
    planned = glue.get_plan(
        Mapping=[{"SourcePath": "userId", "SourceType": "string", "TargetPath": "buyer"}],
        Source={"DatabaseName": "shop", "TableName": "people"},
        Sinks=[{"DatabaseName": "shop", "TableName": "buyers"}],
    )["PythonScript"]
    steps = planned[planned.index("## @type") :]  # with job.commit()
    script = SCRIPT.replace("job.commit()\n", EXAMPLE_CALL + steps)
    s3.put_object(Bucket="lake", Key="customers.py", Body=EXAMPLE.read_bytes())
    s3.put_object(Bucket="lake", Key="job.py", Body=script.encode())
    return server


def test_a_script_of_glue_studio_makes_a_table_that_athena_reads(shop: Any) -> None:
    glue, athena = shop.client("glue"), shop.client("athena")
    glue.create_job(
        Name="sales",
        Role=_role(shop),
        GlueVersion="5.0",
        Command={"Name": "glueetl", "ScriptLocation": "s3://lake/job.py"},
        DefaultArguments={
            "--job-bookmark-option": "job-bookmark-enable",
            "--extra-py-files": f"s3://lake/customers.py,{STUDIO}/gs_common.py,{STUDIO}/gs_concat.py",
        },
    )
    run_id = glue.start_job_run(JobName="sales")["JobRunId"]
    deadline = time.monotonic() + 900
    while True:
        run = glue.get_job_run(JobName="sales", RunId=run_id)["JobRun"]
        if run["JobRunState"] not in ("STARTING", "RUNNING") or time.monotonic() > deadline:
            break
        time.sleep(0.1)

    folder = Path(shop.home.directory("glue-runs"), run_id)
    assert run["JobRunState"] == "SUCCEEDED", (folder / "error.log").read_text()
    # https://github.com/aws-samples/aws-glue-samples/blob/master/examples/resolve_choice.md
    assert (folder / "output.log").read_text().splitlines() == [
        "root", "|-- buyer: string", "|-- amount: choice", "|    |-- long", "|    |-- string",
        "|-- day: string",
        "[('buyer', 'string'), ('amount', 'bigint'), ('day', 'string')] ['5', '7', '9', 'None']",
        "root", "|-- buyer: string", "|-- amount: long", "|-- day: string", "['5', '7', 'None']",
        "[Row(name='ann-ann'), Row(name='bob-bob')]",
        "EvaluateDataQuality EvaluateDataQuality_node1: 1 rules passed, 0 failed",
    ]  # fmt: skip
    table = glue.get_table(DatabaseName="shop", Name="sales")["Table"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("buyer", "string"),
        ("amount", "bigint"),
    ]
    assert table["Parameters"]["classification"] == "parquet"
    partitions = glue.get_partitions(DatabaseName="shop", TableName="sales")["Partitions"]
    assert [partition["Values"] for partition in partitions] == [["1"], ["2"]]
    assert asking.rows(athena, "SELECT day, buyer, amount FROM shop.sales ORDER BY day, buyer") == [
        ["1", "ann", "5"],
        ["1", "bob", None],
        ["2", "ann", "7"],
    ]
    assert asking.rows(
        athena, "SELECT user_id, orders, lines FROM shop.customers ORDER BY user_id"
    ) == [
        ["7", "2", "3"],
        ["8", "1", "1"],
    ]
    s3 = shop.client("s3")
    (written,) = s3.list_objects_v2(Bucket="lake", Prefix="buyers/")["Contents"]
    assert s3.get_object(Bucket="lake", Key=written["Key"])["Body"].read() == b"ann\nbob\n"
    kept = glue.get_job_bookmark(JobName="sales")["JobBookmarkEntry"]["JobBookmark"]
    assert "s3://lake/orders/1/o.csv" in kept
    assert "s3://lake/orders/3/o.csv" not in kept


def _role(aws: Any) -> str:
    """A role that Glue may assume and that may do everything."""
    iam = aws.client("iam")
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
        ' "Principal": {"Service": "glue.amazonaws.com"}}]}'
    )
    allow = (
        '{"Version": "2012-10-17", "Statement":'
        ' [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    )
    arn: str = iam.create_role(RoleName="glue", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="glue", PolicyName="all", PolicyDocument=allow)
    return arn
