"""State machines, versions, aliases, activities and map runs, each a document under its ARN."""

from __future__ import annotations

import json
import sqlite3
from contextlib import AbstractContextManager

from localaws.shapes import Json
from localaws.sqlite import SqliteDatabase

ACTIVITY = "activity"  # the kind of an activity's document
MAP_RUN = "map-run"


class Resources:
    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """One transaction, with the journal's writes in it too; nested use joins it."""
        return self._database.transaction()

    def put(self, kind: str, arn: str, parent: str, body: Json) -> None:
        with self._database.transaction() as writer:
            writer.execute(
                "INSERT INTO resources (kind, arn, parent, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (arn) DO UPDATE SET body = excluded.body",
                (kind, arn, parent, json.dumps(body)),
            )

    def get(self, kind: str, arn: str) -> Json | None:
        rows = self._database.rows(
            "SELECT body FROM resources WHERE kind = ? AND arn = ?", kind, arn
        )
        return self._database.json(rows[0][0]) if rows else None

    def claim(self, job: str, owner: str) -> bool:
        """Whether the job is the owner's: what is nobody's becomes it."""
        with self._database.transaction() as writer:
            writer.execute(
                "INSERT OR IGNORE INTO resources (kind, arn, parent, body)"
                " VALUES ('job', ?, '', ?)",
                (job, json.dumps({"owner": owner})),
            )
        return self.get("job", job) == {"owner": owner}

    def resources(self, kind: str, parent: str | None = None) -> list[Json]:
        """Oldest first; all of a kind, or those below one parent ARN."""
        if parent is None:
            rows = self._database.rows(
                "SELECT body FROM resources WHERE kind = ? ORDER BY sequence", kind
            )
        else:
            rows = self._database.rows(
                "SELECT body FROM resources WHERE kind = ? AND parent = ? ORDER BY sequence",
                kind,
                parent,
            )
        return [self._database.json(body) for (body,) in rows]

    def delete(self, arn: str) -> None:
        with self._database.transaction() as writer:
            writer.execute("DELETE FROM resources WHERE arn = ?", (arn,))
