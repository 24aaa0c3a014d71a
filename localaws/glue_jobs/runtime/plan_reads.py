"""What a query of Spark's reads in S3: the tables of a catalog, by the plan that Spark has made.

A path that a script names is asked for when it is named (`s3_reads`); where a table lies stands in
the catalog, and which of its partitions are read is settled when Spark plans. So it is asked for
when rows are, before any is read. Not imported by localaws.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

# Of a data frame: what reads rows, or leaves them to Java.
ACTIONS = (
    "approxQuantile", "checkpoint", "collect", "corr", "count", "cov", "crosstab", "describe",
    "foreach", "foreachPartition", "freqItems", "isEmpty", "localCheckpoint", "show", "summary",
    "tail", "toJSON", "toLocalIterator", "toPandas", "writeTo",
)  # fmt: skip
PROPERTIES = ("rdd", "write")
_COMMAND = re.compile(r"(?i)\b(insert|create|replace|cache)\b")  # a query may be in it
Ask = Callable[[str, str], None]


def install(ask: Ask) -> None:
    """Has `ask` told (what reads, the place in S3) before anything of a table is read."""
    from pyspark.sql import DataFrame, SparkSession

    for name in ACTIONS:
        setattr(DataFrame, name, _first(name, getattr(DataFrame, name), ask))
    for name in PROPERTIES:
        found: Any = getattr(DataFrame, name)
        setattr(DataFrame, name, property(_first(name, found.fget, ask)))
    sql: Any = SparkSession.sql

    @functools.wraps(sql)
    def asking(session: Any, text: str, *given: Any, **named: Any) -> Any:
        if not given and not named:  # a command reads while it is called
            for query in _queries(session, text):
                for place in places(query):
                    ask("sql", place)
        return sql(session, text, *given, **named)

    SparkSession.sql = asking


def _first(name: str, action: Any, ask: Ask) -> Any:
    @functools.wraps(action)
    def asking(frame: Any, *given: Any, **named: Any) -> Any:
        for place in places(frame._jdf.queryExecution()):
            ask(name, place)
        return action(frame, *given, **named)

    return asking


def _queries(session: Any, text: str) -> Iterator[Any]:
    """The executions of the queries whose rows a command writes; none of a query alone."""
    if not _COMMAND.search(text):
        return
    inner = session._jsparkSession
    try:
        state = inner.sessionState()
        parsed = state.sqlParser().parsePlan(text)
        mode = session._jvm.org.apache.spark.sql.execution.CommandExecutionMode.SKIP()
        plans = [state.executePlan(parsed, mode).analyzed()]
    except _failures():
        return  # Spark says it better
    while plans:
        plan = plans.pop()
        below = [*_each(plan.children()), *_each(plan.innerChildren())]
        if _writes(plan):
            for query in below:
                rows = session._jvm.org.apache.spark.sql.Dataset.ofRows(inner, query)
                yield rows.queryExecution()
        else:
            plans += below


def _failures() -> tuple[type[Exception], ...]:
    """What Spark's refusals are to Python: those of a kind that it knows, and all others."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors.exceptions.captured import CapturedException

    return Py4JJavaError, CapturedException


def _writes(plan: Any) -> bool:
    name = plan.getClass().getSimpleName()
    return name.startswith(("Insert", "Overwrite", "Append")) or "AsSelect" in name


def places(execution: Any) -> list[str]:
    """Files, and folders of files (they end in /), as URIs of S3."""
    found: dict[str, None] = {}
    try:
        for leaf in _leaves(execution.optimizedPlan()):
            found |= dict.fromkeys(_of_leaf(leaf))
    except _failures():
        return []  # Spark says it better
    return list(found)


def _leaves(plan: Any) -> Iterator[Any]:
    """Of the plan and of its subqueries; of what is cached, those of the plan that fills it."""
    for each in (plan, *_each(plan.subqueriesAll())):
        for leaf in _each(each.collectLeaves()):
            kind = leaf.getClass().getSimpleName()
            if kind == "InMemoryRelation":
                yield from _leaves(leaf.cacheBuilder().cachedPlan())
            elif kind == "InMemoryTableScanExec":
                yield from _leaves(leaf.relation().cacheBuilder().cachedPlan())
            elif kind == "AdaptiveSparkPlanExec":
                yield from _leaves(leaf.initialPlan())
            else:
                yield leaf


def _of_leaf(leaf: Any) -> list[str]:
    """A plan that is to be run has the kinds of leaves whose names end in Exec."""
    kind = leaf.getClass().getSimpleName()
    if kind in ("LogicalRelation", "FileSourceScanExec"):
        relation = leaf.relation()
        if relation.getClass().getSimpleName() == "HadoopFsRelation":
            return [unquote(file) for file in relation.location().inputFiles()]
    if kind in ("HiveTableRelation", "HiveTableScanExec"):
        relation = leaf if kind == "HiveTableRelation" else leaf.relation()
        return [f"{place.rstrip('/')}/" for place in _of_hive_table(relation)]
    if kind in ("DataSourceV2ScanRelation", "BatchScanExec"):
        table = leaf.table() if kind == "BatchScanExec" else leaf.relation().table()
        if table.getClass().getName().startswith("org.apache.iceberg"):
            return [f"{table.table().location().rstrip('/')}/"]
    return []


def _of_hive_table(relation: Any) -> list[str]:
    table = relation.tableMeta()
    if not relation.isPartitioned():
        return [table.location().toString()]
    pruned = relation.prunedPartitions()
    if pruned.isDefined():
        partitions = pruned.get()
    else:
        from pyspark.sql import SparkSession

        catalog = SparkSession._instantiatedSession._jsparkSession.sharedState().externalCatalog()
        none = relation.prunedPartitions()
        partitions = catalog.listPartitions(table.database(), table.identifier().table(), none)
    return [each.location().toString() for each in _each(partitions)]


def _each(seq: Any) -> list[Any]:
    items = seq.iterator()
    found = []
    while items.hasNext():
        found.append(items.next())
    return found
