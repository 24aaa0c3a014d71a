"""Each SQL statement of a run, against the tables that are there when it runs; recipes between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from localaws.athena.rehearsal import Described, Name
from localaws.athena.rehearsal import Rehearsal as Athena
from localaws.trino import types as t
from localaws.trino.errors import QueryError, SyntaxMistake
from rebuy.validation import recipes
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product
from rebuy.validation.rehearsal import Call, Rehearsal
from rebuy.validation.samples import MADE_JOB
from tasks import check_statements
from tasks.errors import DefinitionError
from tasks.sql import PLACEHOLDER, without_comments

Json = dict[str, Any]
LINE = re.compile(r"^(?:[A-Z_]+: )?line (\d+):(\d+): ")
WORD = re.compile(r"\w+")
STRING = t.from_hive("string")
OBJECT = ("object",)  # what crawled tables are partitioned by (tasks/functions/increments.py)


@dataclass
class Catalog:
    """What one call finds, of those that ran before it."""

    tables: dict[Name, Described]
    jobs: dict[str, Json] = field(default_factory=dict)  # DataBrew's, by name
    datasets: dict[str, Json] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)  # location to columns
    makers: dict[Name, str] = field(default_factory=dict)  # table to the state that makes it


class Statements:
    """Every check composed from sql/checks, and every statement and recipe job of the calls."""

    def __init__(self, product: Product, rehearsal: Rehearsal) -> None:
        self.product, self.rehearsal = product, rehearsal
        databases = product.stack.of_type("AWS::Glue::Database")
        self.databases = frozenset(
            str(properties["DatabaseInput"]["Name"]) for properties in databases.values()
        )
        crawlers = list(product.stack.of_type("AWS::Glue::Crawler").values())
        self.raw = str(crawlers[0]["DatabaseName"]) if crawlers else ""
        self.enforced = {
            str(group["Name"]): group.get("WorkGroupConfiguration", {}).get(
                "EnforceWorkGroupConfiguration", True
            )
            for group in product.stack.of_type("AWS::Athena::WorkGroup").values()
        }
        self._effects: dict[int, Any] = {}
        self._folders: dict[str, Name] = {}  # of the tables, branches side by side included
        self.found: list[Finding] = []

    def check(self) -> list[Finding]:
        self._checks()
        for number, call in enumerate(self.rehearsal.calls):
            self._effects[number] = self._of_call(call)
        return self.found

    def _checks(self) -> None:
        """sql/checks, as written and as composed."""
        texts = {
            path.removeprefix("sql/checks/").removesuffix(".sql"): text
            for path, text in self.product.files.items()
            if path.startswith("sql/checks/")
        }
        athena = self._athena(Catalog(self._raw_tables()), self.raw, {})
        for name, text in texts.items():
            self._statement(
                athena, text.replace("${RawDatabase}", self.raw), f"sql/checks/{name}.sql", 1
            )
        if self.found:
            return
        try:
            composed = check_statements.compose(texts)
        except DefinitionError as error:
            path = str(error).split(":", 1)[0]
            self.found.append(Finding(path, 1, str(error).split(": ", 1)[-1], "See its docstring."))
            return
        for statement in composed:
            path = f"sql/checks/{statement['checks'][0]}.sql"
            self._statement(athena, statement["sql"].replace("${RawDatabase}", self.raw), path, 0)

    def _raw_tables(self) -> dict[Name, Described]:
        return {
            (self.raw, table): Described(tuple((column, STRING) for column in (*columns, *OBJECT)))
            for table, columns in self.product.raw_tables.items()
        }

    def _athena(self, catalog: Catalog, database: str, arguments: Json) -> Athena:
        group = str(arguments.get("WorkGroup", "primary"))
        enforced = bool(self.enforced.get(group, False))
        return Athena(catalog.tables, self.databases, database, enforced=enforced)

    # --- one call ---

    def _catalog(self, call: Call) -> Catalog:
        catalog = Catalog(self._raw_tables())
        for logical, properties in self.product.stack.of_type("AWS::DataBrew::Dataset").items():
            catalog.datasets[self.product.stack.name(logical)] = properties["Input"]
        for number in call.way:
            effect = self._effects.get(number)
            if effect is not None:
                effect(catalog)
        return catalog

    def _of_call(self, call: Call) -> Any:
        """Checks the call; what it changes for those after it, as a function of their catalog."""
        rule = RULES.get((call.resource.service, call.resource.action))
        if rule is None or not isinstance(call.arguments, dict):
            return None
        return rule(self, call, self._catalog(call))

    def query(self, call: Call, catalog: Catalog) -> Any:
        arguments = call.arguments
        text = str(arguments.get("QueryString", ""))
        database = str((arguments.get("QueryExecutionContext") or {}).get("Database", "default"))
        if text.startswith("sample") and text.isalnum():
            return None  # the text comes from data: only a run has it
        path, line = self._sql_file(text, call.state)
        athena = self._athena(catalog, database, arguments)
        group = arguments.get("WorkGroup")
        if group is not None and group not in self.enforced:
            self._report(
                *self.product.where_state(call.state),
                f"State {call.state!r} uses the work group {group!r}.",
                "The template has " + ", ".join(sorted(self.enforced)) + ".",
            )
        effect = self._statement(athena, text, path, line, catalog, call.state)
        if effect is None:
            return None
        if effect.makes is not None:
            name, table = effect.makes
            self._check_made(call, name, table, catalog, (path, line))

        def change(later: Catalog) -> None:
            if effect.makes is not None:
                later.tables[effect.makes[0]] = effect.makes[1]
                later.makers[effect.makes[0]] = call.state
            if effect.drops is not None:
                later.tables.pop(effect.drops, None)

        return change

    def _statement(
        self,
        athena: Athena,
        text: str,
        path: str,
        line: int,
        catalog: Catalog | None = None,
        state: str = "",
    ) -> Any:
        try:
            return athena.check(text)
        except (SyntaxMistake, QueryError) as error:
            if (
                catalog is not None
                and "already exists" in str(error)
                and state in catalog.makers.values()
            ):
                return None  # the same state again: a redrive gives it another name
            place = LINE.match(str(error))
            if place and path.endswith(".sql") and line:
                line = int(place[1])
            self._report(
                path,
                line,
                f"Athena would refuse the statement: {error}.",
                self._known(athena, str(error)),
            )
            return None

    def _known(self, athena: Athena, error: str) -> str:
        """What is there, for an error that something is not."""
        missing = re.search(r"Table 'awsdatacatalog\.([^.']+)\.[^']+' does not exist", error)
        if missing:
            names = sorted(name for database, name in athena.tables if database == missing[1])
            return f"By then {missing[1]} has: {', '.join(names) or 'no table'}."
        if "SCHEMA_NOT_FOUND" in error:
            return f"The template has: {', '.join(sorted(athena.databases))}."
        return "docs/data.md has the tables and their columns."

    def _check_made(
        self, call: Call, name: Name, table: Described, catalog: Catalog, place: tuple[str, int]
    ) -> None:
        """A table's folder is its own; one over a recipe's output has that recipe's columns."""
        location = table.location.rstrip("/") + "/"
        other = self._folders.setdefault(location, name)
        if table.location and other != name:
            self._report(
                *place,
                f"The table {name[1]} would lie in {location}, where {other[1]} lies.",
                "Give each table a folder of its own.",
            )
        written = catalog.outputs.get(location)
        if written is None:
            return
        declared = dict(table.columns)
        for column, kind in written.items():
            if column not in declared:
                self._report(
                    *place,
                    f"The recipe writes {column}, which the table {name[1]} does not have.",
                    f"It has {', '.join(declared)}.",
                )
            elif kind and not recipes.same_type(kind, declared[column]):
                self._report(
                    *place,
                    f"The recipe writes {column} as {kind}, the table {name[1]} says "
                    f"{declared[column]}.",
                    "Parquet is read by its own types: say the same in both.",
                )
        for column in declared:
            if column not in written:
                self._report(
                    *place,
                    f"The table {name[1]} has {column}, which the recipe does not write.",
                    f"It writes {', '.join(written)}.",
                )

    def _sql_file(self, text: str, state: str) -> tuple[str, int]:
        """The file of a statement: that whose words it has most of; else where the state is."""
        words = set(WORD.findall(text))
        shares = {
            path: len(words & own) / len(own)
            for path, content in self.product.files.items()
            if path.startswith("sql/")
            and (own := set(WORD.findall(PLACEHOLDER.sub("", without_comments(content)))))
        }
        best = max(shares, key=lambda path: shares[path], default="")
        return (best, 1) if shares.get(best, 0) > 0.8 else self.product.where_state(state)

    def _report(self, path: str, line: int, what: str, mend: str) -> None:
        finding = Finding(path, line, what, mend)
        if finding not in self.found:
            self.found.append(finding)

    # --- DataBrew ---

    def make_dataset(self, call: Call, catalog: Catalog) -> Any:
        name, given = str(call.arguments.get("Name")), call.arguments.get("Input") or {}

        def change(later: Catalog) -> None:
            later.datasets[name] = given

        return change

    def make_job(self, call: Call, catalog: Catalog) -> Any:
        name, arguments = str(call.arguments.get("Name")), call.arguments
        place = self.product.where_state(call.state)
        dataset = arguments.get("DatasetName")
        if dataset not in catalog.datasets:
            self._report(
                *place,
                f"State {call.state!r} makes a job over the dataset {dataset!r}, which is "
                "not there.",
                f"There is {', '.join(sorted(catalog.datasets))}.",
            )
        published = self._recipes()
        wanted = (arguments.get("RecipeReference") or {}).get("Name")
        if wanted not in published:
            self._report(
                *place,
                f"State {call.state!r} makes a job of the recipe {wanted!r}, which is not there.",
                f"The template has {', '.join(sorted(published))}.",
            )

        def change(later: Catalog) -> None:
            later.jobs[name] = arguments

        return change

    def run_job(self, call: Call, catalog: Catalog) -> Any:
        name = str(call.arguments.get("Name"))
        if name == MADE_JOB:
            return None
        job = catalog.jobs.get(name)
        if job is None:
            self._report(
                *self.product.where_state(call.state),
                f"State {call.state!r} starts the DataBrew job {name!r}, which no state before it "
                "makes.",
                f"By then there is {', '.join(sorted(catalog.jobs)) or 'none'}.",
            )
            return None
        columns = self._columns(catalog, str(job.get("DatasetName")))
        recipe = self._recipes().get(str((job.get("RecipeReference") or {}).get("Name")))
        if columns is None or recipe is None:
            return None
        path, steps = recipe
        written, problem = recipes.columns_after(steps, columns)
        if problem:
            self._report(
                path,
                recipes.line_of(self.product.files.get(path, ""), problem),
                f"DataBrew would refuse the recipe: {problem}.",
                f"Its dataset has {', '.join(columns)}.",
            )
            return None
        for column in (c for o in job.get("Outputs", []) for c in o.get("PartitionColumns", [])):
            if column not in written:
                self._report(
                    *self.product.where_state(call.state),
                    f"The job {name!r} partitions by {column!r}, which its recipe does not write.",
                    f"It writes {', '.join(written)}.",
                )
        places = [
            f"s3://{output['Location']['Bucket']}/{output['Location'].get('Key', '')}".rstrip("/")
            for output in job.get("Outputs", [])
            if "Location" in output
        ]

        def change(later: Catalog) -> None:
            later.outputs.update({f"{place}/": written for place in places})

        return change

    def _recipes(self) -> dict[str, tuple[str, list[Json]]]:
        """Name in DataBrew to (file, steps), of the template's."""
        found = {}
        for logical, properties in self.product.stack.of_type("AWS::DataBrew::Recipe").items():
            name = self.product.stack.name(logical)
            own = name.removeprefix("rebuy-").replace("-", "_")
            found[name] = (f"databrew_recipes/{own}.json", properties["Steps"])
        return found

    def _columns(self, catalog: Catalog, dataset: str) -> dict[str, str] | None:
        """The dataset's columns with DuckDB's types; None where only a run can say."""
        given = catalog.datasets.get(dataset, {})
        table = given.get("DataCatalogInputDefinition")
        if not table:
            return None
        there = catalog.tables.get((str(table["DatabaseName"]), str(table["TableName"])))
        if there is None:
            self._report(
                "databrew_recipes",
                0,
                f"The dataset {dataset!r} is over the table {table['TableName']!r}, which is not "
                "there by then.",
                "Make the table before.",
            )
            return None
        return {name: t.duckdb(kind) for name, kind in there.columns}


RULES: dict[tuple[str, str], Any] = {
    ("athena", "startQueryExecution"): Statements.query,
    ("databrew", "createDataset"): Statements.make_dataset,
    ("databrew", "createRecipeJob"): Statements.make_job,
    ("databrew", "startJobRun"): Statements.run_job,
}


def check(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    yield from Statements(product, rehearsal).check()
