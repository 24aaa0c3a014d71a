"""Scripts that Glue writes and reads back. Expected are recorded answers and scripts of AWS.

Scripts run in tests/glue_jobs/test_catalog_frames.py and from the console's page.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

Json = dict[str, Any]

# What AWS's console wrote in 2019 to 2021 for a table in JSON files (public repositories).
TO_JSON = """\
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job

## @params: [JOB_NAME]
args = getResolvedOptions(sys.argv, ['JOB_NAME'])

sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args['JOB_NAME'], args)
## @type: DataSource
## @args: [database = "shop", table_name = "orders", transformation_ctx = "datasource0"]
## @return: datasource0
## @inputs: []
datasource0 = glueContext.create_dynamic_frame.from_catalog(database = "shop", \
table_name = "orders", transformation_ctx = "datasource0")
## @type: ApplyMapping
## @args: [mapping = [("id", "long", "order", "string")], transformation_ctx = "applymapping1"]
## @return: applymapping1
## @inputs: [frame = datasource0]
applymapping1 = ApplyMapping.apply(frame = datasource0, \
mappings = [("id", "long", "order", "string")], transformation_ctx = "applymapping1")
## @type: DataSink
## @args: [connection_type = "s3", connection_options = {"path": "s3://lake/out/"}, \
format = "json", transformation_ctx = "datasink2"]
## @return: datasink2
## @inputs: [frame = applymapping1]
datasink2 = glueContext.write_dynamic_frame.from_options(frame = applymapping1, \
connection_type = "s3", connection_options = {"path": "s3://lake/out/"}, format = "json", \
transformation_ctx = "datasink2")
job.commit()
"""
ORDERS = {"DatabaseName": "shop", "TableName": "orders"}
ID_TO_ORDER = {
    "SourceTable": "orders", "SourcePath": "id", "SourceType": "long",
    "TargetTable": "orders", "TargetPath": "order", "TargetType": "string",
}  # fmt: skip


def table(
    name: str, columns: dict[str, str], kind: str, keys: dict[str, str] | None = None
) -> Json:
    return {
        "Name": name,
        "Parameters": {"classification": kind},
        "PartitionKeys": [{"Name": key, "Type": of} for key, of in (keys or {}).items()],
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": of} for column, of in columns.items()],
            "Location": f"s3://lake/{name}/",
        },
    }


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from localaws.core.aws import start
    from localaws.glue.api import service

    aws = start(tmp_path_factory.mktemp("code"), [service], url="http://127.0.0.1:9", wait_scale=0)
    client = aws.client("glue")
    client.create_database(DatabaseInput={"Name": "shop"})
    made = [
        table(
            "orders",
            {"id": "bigint", "tags": "array<string>", "price": "decimal(10,2)", "n": "varchar(9)"},
            "csv",
            {"day": "string"},
        ),
        table("sales", {"id": "string", "Price": "double"}, "csv"),
        table("columns", {"id": "string"}, "parquet"),
    ]
    for each in made:
        client.create_table(DatabaseName="shop", TableInput=each)
    yield client
    aws.stop()


def to_s3(**said: str) -> Json:
    return {"S3": [{"Name": name, "Value": value} for name, value in said.items()]}


def kinds(glue: Any, script: str) -> list[str]:
    """The nodes' names, and their kind where a name does not say it."""
    return [node["Id"] for node in glue.get_dataflow_graph(PythonScript=script)["DagNodes"]]


def test_a_plan_is_the_script_that_the_console_of_aws_wrote(glue: Any) -> None:
    written = glue.get_plan(
        Mapping=[ID_TO_ORDER], Source=ORDERS, Location=to_s3(path="s3://lake/out/", format="json")
    )

    assert written["PythonScript"] == TO_JSON


@pytest.mark.parametrize(
    ("target", "chain"),
    [
        (
            {"Location": to_s3(path="s3://lake/out/", format="parquet")},
            ["datasource0", "applymapping1", "resolvechoice2", "dropnullfields3", "datasink4"],
        ),
        (
            {"Location": {"Jdbc": [
                {"Name": "catalog_connection", "Value": "warehouse"},
                {"Name": "dbtable", "Value": "orders"}, {"Name": "database", "Value": "dev"},
            ]}},
            ["datasource0", "applymapping1", "resolvechoice2", "dropnullfields3", "datasink4"],
        ),
        (  # awscli/examples/glue/get-plan.rst
            {"Sinks": [{"DatabaseName": "shop", "TableName": "sales"}]},
            ["datasource0", "applymapping1", "selectfields2", "resolvechoice3", "datasink4"],
        ),
        (
            {"Sinks": [{"DatabaseName": "shop", "TableName": "columns"}]},
            ["datasource0", "applymapping1", "selectfields2", "resolvechoice3", "resolvechoice4",
             "datasink5"],
        ),
    ],
    ids=["parquet", "a database", "a table of text", "a table of columns"],
)  # fmt: skip
def test_the_steps_of_a_plan_are_those_of_its_target(
    glue: Any, target: Json, chain: list[str]
) -> None:
    script = glue.get_plan(Mapping=[ID_TO_ORDER], Source=ORDERS, **target)["PythonScript"]

    assert kinds(glue, script) == chain
    compile(script, "script.py", "exec")


def test_a_mapping_names_columns_and_partition_keys_with_the_types_of_mappings(glue: Any) -> None:
    def paths(**more: Any) -> list[tuple[str, str, str, str, str]]:
        found = glue.get_mapping(Source=ORDERS, **more)["Mapping"]
        members = ("SourcePath", "SourceType", "TargetTable", "TargetPath", "TargetType")
        return [tuple(each[member] for member in members) for each in found]

    assert paths() == [
        ("id", "long", "orders", "id", "long"),
        ("tags", "array", "orders", "tags", "array"),
        ("price", "decimal(10,2)", "orders", "price", "decimal(10,2)"),
        ("n", "string", "orders", "n", "string"),
        ("day", "string", "orders", "day", "string"),
    ]
    assert paths(Sinks=[{"DatabaseName": "shop", "TableName": "sales"}]) == [
        ("id", "long", "sales", "id", "string"),
        ("price", "decimal(10,2)", "sales", "Price", "double"),
    ]
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_mapping(Source={"DatabaseName": "shop", "TableName": "none"})


def arguments(**said: str) -> list[Json]:
    return [{"Name": name, "Value": value, "Param": False} for name, value in said.items()]


# A join with a parameter of the job, out of order.
NODES = [
    {"Id": "Joined", "NodeType": "Join", "Args": arguments(keys1='["id"]', keys2='["id"]')},
    {"Id": "Few", "NodeType": "Filter", "Args": arguments(f='lambda row: (row["n"] <= 2)')},
    {"Id": "Left", "NodeType": "DataSource", "Args": arguments(database='"a"', table_name='"b"')},
    {
        "Id": "Right",
        "NodeType": "DataSource",
        "Args": [
            *arguments(database='"a"', table_name='"c"'),
            {"Name": "redshift_tmp_dir", "Value": "TempDir", "Param": True},
        ],
    },
]
EDGES = [
    {"Source": "Left", "Target": "Joined", "TargetParameter": "frame1"},
    {"Source": "Right", "Target": "Joined", "TargetParameter": "frame2"},
    {"Source": "Joined", "Target": "Few", "TargetParameter": "frame"},
]


def test_a_graph_comes_back_from_the_script_that_is_written_of_it(glue: Any) -> None:
    script = glue.create_script(DagNodes=NODES, DagEdges=EDGES)["PythonScript"]
    found = glue.get_dataflow_graph(PythonScript=script)

    compile(script, "script.py", "exec")
    assert "getResolvedOptions(sys.argv, ['TempDir', 'JOB_NAME'])" in script
    assert 'redshift_tmp_dir = args["TempDir"]' in script
    order = ["Left", "Right", "Joined", "Few"]
    assert [node["Id"] for node in found["DagNodes"]] == order
    assert [node["LineNumber"] for node in found["DagNodes"]] == [
        17,
        22,
        27,
        32,
    ]  # of @type, as recorded
    given = {node["Id"]: node for node in NODES}
    for node in found["DagNodes"]:
        context = arguments(transformation_ctx=f'"{node["Id"]}"')
        assert node["Args"] == [*given[node["Id"]]["Args"], *context]
        assert node["NodeType"] == given[node["Id"]]["NodeType"]
    assert found["DagEdges"] == EDGES
    again = {key: found[key] for key in ("DagNodes", "DagEdges")}
    assert glue.create_script(**again)["PythonScript"] == script


def test_a_call_without_its_comments_is_no_node(glue: Any) -> None:
    script = "\n".join(line for line in TO_JSON.splitlines() if not line.startswith("##"))
    found = glue.get_dataflow_graph(PythonScript=script)

    assert (found["DagNodes"], found["DagEdges"]) == ([], [])


SOURCE = {"Id": "s", "NodeType": "DataSource", "Args": arguments(database='"a"', table_name='"b"')}
SELECT = {"Id": "f", "NodeType": "SelectFields", "Args": arguments(paths='["a"]')}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"DagNodes": [SOURCE], "Language": "SCALA"}, "NotEmulated.*Language=SCALA"),
        ({"DagNodes": [SOURCE, SOURCE]}, "Two nodes"),
        ({"DagNodes": [SOURCE], "DagEdges": [{"Source": "s", "Target": "x"}]}, "the node x"),
        (
            {"DagNodes": [SELECT], "DagEdges": [{"Source": "f", "Target": "f"}]},
            "in a circle: f -> f",
        ),
        ({"DagNodes": [SELECT]}, "takes frame; 0 edges"),
        (
            {"DagNodes": [{**SOURCE, "Args": arguments(database='"a"), print(1')}]},
            "no value in one line of Python",
        ),
        ({"DagNodes": [{**SOURCE, "Args": arguments(a="1 # x")}]}, "no value in one line"),
        ({"DagNodes": [{**SOURCE, "Args": []}]}, "names no place"),
        (
            {
                "DagNodes": [SOURCE, {"Id": "c", "NodeType": "CustomCode", "Args": []}],
                "DagEdges": [{"Source": "s", "Target": "c"}],
            },
            "NotEmulated.*NodeType=CustomCode",
        ),
    ],
)
def test_what_no_script_is_written_of(glue: Any, given: Json, says: str) -> None:
    with pytest.raises(ClientError, match=says):
        glue.create_script(**given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "one target"),
        ({"Location": to_s3(format="csv")}, "no path"),
        ({"Location": to_s3(path="s3://a/", region="x")}, "NotEmulated.*Location.S3 region"),
        ({"Location": to_s3(path="s3://a/"), "Mapping": []}, "no column"),
        ({"Location": to_s3(path="s3://a/"), "Mapping": [{"SourcePath": "a"}]}, "no SourceType"),
        (
            {
                "Location": to_s3(path="s3://a/"),
                "AdditionalPlanOptionsMap": {"inferSchema": "true"},
            },
            "NotEmulated.*AdditionalPlanOptionsMap",
        ),
        ({"Location": {"DynamoDB": arguments(a="b")}}, "NotEmulated.*DynamoDB"),
    ],
)
def test_what_no_plan_is_made_of(glue: Any, given: Json, says: str) -> None:
    with pytest.raises(ClientError, match=says):
        glue.get_plan(**{"Mapping": [ID_TO_ORDER], "Source": ORDERS, **given})


@pytest.mark.parametrize("wrong", ["", "[a b]", "[*a]", "a = 1"])
def test_a_comment_that_cannot_be_read_is_an_error_with_its_line(glue: Any, wrong: str) -> None:
    script = f"\n## @type: Join\n## @args: {wrong}\n## @return: x\n## @inputs: []\n"
    with pytest.raises(ClientError, match=r"InvalidInputException.*Line 2"):
        glue.get_dataflow_graph(PythonScript=script)
