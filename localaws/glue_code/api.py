"""The operations of Glue that write scripts, and read them."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import NotEmulated
from localaws.glue_code import graph, plans, reading
from localaws.glue_code.writing import script
from localaws.shapes import Json
from localaws.tables.catalog import Catalog


def register(service: Service, aws: LocalAws) -> None:
    code = GeneratedCode(Catalog(aws))
    take = service.operation
    take("CreateScript", "DagNodes", "DagEdges", "Language")(code.create_script)
    take("GetDataflowGraph", "PythonScript")(code.dataflow_graph)
    # A location has no columns: the mapping is that of a new target.
    take("GetMapping", "Source", "Sinks", "Location.S3", "Location.Jdbc")(code.mapping)
    take(
        *("GetPlan", "Mapping", "Source", "Sinks", "Location.S3", "Location.Jdbc", "Language")
    )(code.plan)  # fmt: skip


class GeneratedCode:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_script(self, call: Call) -> Json:
        _python_alone(call)
        return {"PythonScript": script(graph.nodes_of(call.params))}

    def dataflow_graph(self, call: Call) -> Json:
        nodes = reading.nodes_of(call.params.get("PythonScript") or "")
        described = [node.described() for node in nodes]
        return {"DagNodes": described, "DagEdges": graph.edges_of(nodes)}

    def mapping(self, call: Call) -> Json:
        sink = self._sink(call)
        return {"Mapping": plans.mapping(self._table(call.params["Source"]), sink)}

    def plan(self, call: Call) -> Json:
        _python_alone(call)
        params = call.params
        nodes = plans.plan(params["Source"], params["Mapping"], self._target(call))
        return {"PythonScript": script(nodes)}

    def _target(self, call: Call) -> plans.Target:
        place = call.params.get("Location") or {}
        sink = self._sink(call)
        if bool(sink) + bool(place.get("S3")) + bool(place.get("Jdbc")) != 1:
            raise graph.invalid("A plan has one target: a table in Sinks, or a Location.")
        if sink:
            return plans.table_target(sink)
        if place.get("S3"):
            return plans.s3_target(place["S3"])
        return plans.jdbc_target(place["Jdbc"])

    def _sink(self, call: Call) -> Json | None:
        sinks = call.params.get("Sinks") or []
        if len(sinks) > 1:
            raise NotEmulated("glue", call.operation, "Sinks", "One table is the target.")
        return self._table(sinks[0]) if sinks else None

    def _table(self, entry: Json) -> Json:
        return self._catalog.table(entry["DatabaseName"], entry["TableName"])


def _python_alone(call: Call) -> None:
    if call.params.get("Language", "PYTHON") != "PYTHON":
        raise NotEmulated(
            *("glue", call.operation, f"Language={call.params['Language']}"), "It writes PYTHON."
        )
