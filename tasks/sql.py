"""SQL files as tasks take them: the text as written, with its placeholders resolved in two places.

`${LakeBucket}` and other names of the deployment stay as they are: CloudFormation fills them in
(DefinitionSubstitutions). `${run}` and other names of the run become pieces of a JSONata
expression.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import DefinitionError
from tasks.states import jsonata, of_this_try

ROOT = Path(__file__).resolve().parent.parent / "sql"
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
# What is quoted, as a group, or a comment.
COMMENT = re.compile(r"""('(?:[^']|\'\')*'|"[^"]*"|`[^`]*`)|[ ]*--[^\n]*""")
OF_THE_DEPLOYMENT = {"LakeBucket", "RawDatabase", "Database"}
FEATURE_TABLES = ("user_features", "user_product_features", "product_features", "products")
OF_THE_RUN = {
    "run": "$states.input.run.id",
    "sample_buckets": "$states.input.run.options.sample_buckets",
    # Empty in a first try: a statement that is run again after a redrive makes another table in
    # another folder, and whoever reads it asks for its name.
    "try": of_this_try("_"),
    "clean_orders_table": "$states.input.orders.table",
    "clean_order_products_table": "$states.input.order_lines.table",
    "prior_lines_table": "$states.input.prior.table",
    "product_history_table": "$states.input.history.table",
    **{f"{name}_table": f"$states.input.features.{name}.table" for name in FEATURE_TABLES},
}


@dataclass(frozen=True)
class Statement:
    """One SQL file: its path below sql/ and its text."""

    name: str
    text: str

    @property
    def base(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def query_string(self) -> str:
        """The `QueryString` argument: a text, or a JSONata expression that fills in the run's
        names. Comments are for who reads the file: a `;` or a quote in them is none of Athena's."""
        text = without_comments(self.text)
        pieces = re.split(r"\$\{(" + "|".join(OF_THE_RUN) + r")\}", text)
        if len(pieces) == 1:
            return text
        return jsonata(
            " & ".join(
                OF_THE_RUN[piece] if index % 2 else _literal(piece)
                for index, piece in enumerate(pieces)
                if piece
            )
        )


def without_comments(text: str) -> str:
    """The statement alone; lines stay where they are."""
    return COMMENT.sub(lambda found: found[1] or "", text)


def read(name: str) -> Statement:
    """The statement `sql/<name>.sql`; a placeholder that nobody fills in is an error here."""
    file = ROOT / f"{name}.sql"
    text = file.read_text()
    known = OF_THE_DEPLOYMENT | set(OF_THE_RUN)
    for placeholder in PLACEHOLDER.findall(text):
        if placeholder not in known:
            raise DefinitionError(
                f"sql/{name}.sql has ${{{placeholder}}}; known are: {', '.join(sorted(known))}."
            )
    return Statement(name, text)


def read_folder(folder: str) -> list[Statement]:
    """Every statement in `sql/<folder>/`, by name."""
    return [read(f"{folder}/{file.stem}") for file in sorted((ROOT / folder).glob("*.sql"))]


def _literal(text: str) -> str:
    r"""A JSONata string: only `\` and `"` need to be escaped, lines stay lines."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
