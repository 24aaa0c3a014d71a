"""The product as plain data: what is deployed, and the files that it is made of."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from configuration.mapping import Mapping as SourceMapping
from configuration.mapping.compiled import compiled
from rebuy.validation import stack
from tasks.errors import DefinitionError

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    *("tasks", "workflows", "infrastructure", "sql", "databrew_recipes", "databrew_rulesets"),
    *("training", "inference", "executions"),
)
ENDINGS = (".py", ".sql", ".json")


@dataclass(frozen=True)
class Product:
    """`files` are texts by their path in the repository; `definition` and `template` as they are
    deployed; `raw_tables` what the crawler makes: table to columns, all text; `mapping` the
    deployment's, compiled, of `mapping_file`."""

    files: Mapping[str, str]
    definition: Json
    template: Json
    raw_tables: Mapping[str, tuple[str, ...]]
    mapping: Json
    mapping_file: str

    @staticmethod
    def load(mapping: SourceMapping | None = None, mapping_file: str = "rebuy.toml") -> Product:
        """This checkout's, with the mapping of a shop's own files, if there is one."""
        from infrastructure import template
        from workflows import purchase_prediction as workflow

        files = {
            file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8")
            for folder in FOLDERS
            for file in sorted((ROOT / folder).rglob("*"))
            if file.suffix in ENDINGS
        }
        return Product(
            files,
            json.loads(workflow.definition_bytes()),
            template.template(),
            raw_tables(files),
            compiled(mapping),
            mapping_file,
        )

    def with_file(self, path: str, text: str) -> Product:
        return replace(self, files={**self.files, path: text})

    @cached_property
    def stack(self) -> stack.Stack:
        """The template with its functions worked out."""
        return stack.Stack(self.template)

    @cached_property
    def filled(self) -> Json:
        """The definition with CloudFormation's substitutions made."""
        text = json.dumps(self.definition)
        for name, value in self.stack.substitutions().items():
            text = text.replace("${" + name + "}", json.dumps(value)[1:-1])
        filled: Json = json.loads(text)
        return filled

    def where(self, text: str, folders: Iterable[str] = ("tasks", "workflows")) -> tuple[str, int]:
        """(file, line) of the first place that has the text, in these folders; else the golden
        definition as a whole."""
        wanted = tuple(folders)
        for path, content in sorted(self.files.items()):
            if path.startswith(wanted) and text in content and not path.endswith(".asl.json"):
                return path, content[: content.index(text)].count("\n") + 1
        return "workflows/purchase_prediction.asl.json", 0

    def where_state(self, name: str) -> tuple[str, int]:
        """Where the state is made: its name as the first argument of a call; a name that is put
        together by its first word."""
        first = re.escape(name.split(" ")[0])
        for pattern in (
            rf'\w\(\s*"{re.escape(name)}"',
            rf'\w\(\s*f"{first} ',
            rf'"{re.escape(name)}"',
        ):
            for path, content in sorted(self.files.items()):
                if path.startswith(("tasks/", "workflows/")) and path.endswith(".py"):
                    match = re.search(pattern, content)
                    if match:
                        return path, content[: match.end()].count("\n") + 1
        return "workflows/purchase_prediction.asl.json", 0

    def where_resource(self, logical: str) -> tuple[str, int]:
        """Where the template's resource is written, or the function that has this role."""
        plain = logical.removesuffix("Role").removesuffix("Logs")
        for name in (logical, plain):
            found = self.where(f'"{name}"', ("infrastructure",))
            if found[1]:
                return found
        return "infrastructure/template/__init__.py", 0


def raw_tables(files: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Table to columns, as the table of the functions says that compares them with the crawler's:
    the one dictionary with `orders` and `order_products`."""
    for path, text in sorted(files.items()):
        if not path.startswith("tasks/functions/") or '"order_products"' not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Dict):
                continue
            found = {
                str(key.value): tuple(_strings(value))
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            if {"orders", "order_products"} <= set(found) and all(found.values()):
                return found
    raise DefinitionError("tasks/functions has no table of the raw tables and their columns.")


def _strings(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
