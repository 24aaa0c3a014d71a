"""From nodes to the PySpark that Glue writes of them, with the comments by which it is read back.

The form is that of recorded scripts of Glue: four lines of comment before each call, a parameter of
the job as `args["TempDir"]`, and `mapping` of a comment as `mappings` of the call.
"""

from __future__ import annotations

from collections.abc import Iterable

from localaws.errors import NotEmulated
from localaws.glue_code.graph import SINK, SOURCE, Argument, Node, invalid

TRANSFORMS = frozenset((
    "ApplyMapping", "DropFields", "DropNullFields", "Filter", "Join", "Map", "Relationalize",
    "RenameField", "ResolveChoice", "SelectFields", "SelectFromCollection", "SplitFields",
    "SplitRows", "Spigot", "Unbox", "UnnestFrame",
))  # fmt: skip
CONTEXT = "transformation_ctx"
_HEAD = """\
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
{more}
## @params: [{names}]
args = getResolvedOptions(sys.argv, [{quoted}])

sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args['JOB_NAME'], args)
"""


def script(nodes: Iterable[Node]) -> str:
    """Raises NotEmulated for a transform that is not written here, InvalidInputException for a
    source or sink whose arguments name no place."""
    steps = [_with_context(node) for node in nodes]
    names = [a.value for step in steps for a in step.arguments if a.is_parameter]
    names = [*dict.fromkeys(name for name in names if name != "JOB_NAME"), "JOB_NAME"]
    head = _HEAD.format(
        more="import re\n" if any(step.kind == "Filter" for step in steps) else "",
        names=", ".join(names),
        quoted=", ".join(f"'{name}'" for name in names),
    )
    return head + "".join(_step(step) for step in steps) + "job.commit()\n"


def _with_context(node: Node) -> Node:
    """With its own name for bookmarks, where the graph gives it none."""
    if node.has(CONTEXT):
        return node
    named = (*node.arguments, Argument(CONTEXT, f'"{node.name}"'))
    return Node(node.name, node.kind, named, node.inputs)


def _step(node: Node) -> str:
    told = ", ".join(f"{each.name} = {each.value}" for each in node.arguments)
    frames = ", ".join(f"{parameter} = {source}" for parameter, source in node.inputs)
    given = ", ".join(filter(None, [frames, *map(_given, node.arguments)]))
    return (
        f"## @type: {node.kind}\n"
        f"## @args: [{told}]\n"
        f"## @return: {node.name}\n"
        f"## @inputs: [{frames}]\n"
        f"{node.name} = {_function(node)}({given})\n"
    )


def _given(argument: Argument) -> str:
    name = "mappings" if argument.name == "mapping" else argument.name
    value = f'args["{argument.value}"]' if argument.is_parameter else argument.value
    return f"{name} = {value}"


def _function(node: Node) -> str:
    if node.kind == SOURCE:
        return f"glueContext.create_dynamic_frame.{_place(node)}"
    if node.kind == SINK:
        return f"glueContext.write_dynamic_frame.{_place(node)}"
    if node.kind not in TRANSFORMS:
        raise NotEmulated(
            *("glue", "CreateScript", f"NodeType={node.kind}"),
            f"It writes {SOURCE}, {SINK}, {', '.join(sorted(TRANSFORMS))}.",
        )
    return f"{node.kind}.apply"


def _place(node: Node) -> str:
    if node.has("table_name") and node.has("database"):
        return "from_catalog"
    if node.has("connection_type"):
        return "from_options"
    if node.kind == SINK and node.has("catalog_connection"):
        return "from_jdbc_conf"
    raise invalid(
        f"{node.kind} {node.name} names no place: database and table_name, or connection_type."
    )
