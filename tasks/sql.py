"""SQL files as tasks take them: the text as written, with its placeholders resolved in two places.

`${LakeBucket}` and other names of the deployment stay as they are: CloudFormation fills them in
(DefinitionSubstitutions). `${run}` and other names of the run become arguments of `States.Format`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from rebuy.errors import DefinitionError

ROOT = Path(__file__).resolve().parent.parent / "sql"
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
OF_THE_DEPLOYMENT = {"LakeBucket", "RawDatabase", "Database"}
OF_THE_RUN = {"run": "$.run.id", "sample_buckets": "$.run.options.sample_buckets"}


@dataclass(frozen=True)
class Statement:
    """One SQL file: its path below sql/ and its text."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def query_string(self) -> dict[str, str]:
        """The `QueryString` parameter: a text, or an intrinsic that fills in the run's names."""
        names = [name for name in PLACEHOLDER.findall(self.text) if name in OF_THE_RUN]
        if not names:
            return {"QueryString": self.text}
        pieces = re.split(r"\$\{(" + "|".join(OF_THE_RUN) + r")\}", self.text)
        template = "{}".join(_escape(piece) for piece in pieces[::2])
        arguments = ", ".join(OF_THE_RUN[name] for name in pieces[1::2])
        return {"QueryString.$": f"States.Format('{template}', {arguments})"}


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


def _escape(text: str) -> str:
    r"""Text inside an intrinsic's quotes: `\ ' { }` are escaped, except in `${Name}`, which
    CloudFormation replaces before Step Functions reads the definition."""
    parts = PLACEHOLDER.split(text)
    escaped = []
    for index, part in enumerate(parts):
        if index % 2:
            escaped.append("${" + part + "}")
        else:
            escaped.append(re.sub(r"([\\'{}])", r"\\\1", part))
    return "".join(escaped)
