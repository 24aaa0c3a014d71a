"""Where the bytes of each version are: the moves of files that go with changes of the index.

A current version whose key is a path is the file `objects/<bucket>/<key>`. Elsewhere, found through
the index, are keys that cannot be a path (`objects/.odd/`: empty or dot segments, a trailing slash,
`a` beside `a/b`) and old versions (`objects/.versions/`).
"""

from __future__ import annotations

from pathlib import Path

from localaws.s3.index import Index
from localaws.s3.names import is_plain, odd_path


class Files:
    """Moves files within `root`; every method runs inside a transaction of the index."""

    def __init__(self, root: Path, index: Index) -> None:
        self._root = root
        self._index = index

    def clear_way(self, bucket: str, key: str, version: str, keep: Path | None = None) -> None:
        """Before a new current version: drops the same version, sets another one aside.

        The file `keep` is left: it is, or is about to become, the new version's.
        """
        for row in self._index.rows(
            "SELECT * FROM objects WHERE bucket = ? AND key = ? AND (latest = 1 OR version_id = ?)",
            *(bucket, key, version),
        ):
            path = self._root / row["path"]
            if row["version_id"] == version:
                self._index.run("DELETE FROM objects WHERE id = ?", row["id"])
                if not row["marker"] and path != keep:
                    self.unlink(path)
            elif row["marker"]:
                self._index.run("UPDATE objects SET latest = 0 WHERE id = ?", row["id"])
            else:
                aside = self._root / ".versions" / bucket / str(row["id"])
                self._move(row["id"], path, aside)
                self._index.run("UPDATE objects SET latest = 0 WHERE id = ?", row["id"])

    def promote(self, bucket: str, key: str) -> None:
        """Makes the newest remaining version the current one again."""
        row = self._index.row(
            "SELECT * FROM objects WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1",
            *(bucket, key),
        )
        if row is None:
            return
        if not row["marker"]:
            self._move(row["id"], self._root / row["path"], self.place(bucket, key))
        self._index.run("UPDATE objects SET latest = 1 WHERE id = ?", row["id"])

    def place(self, bucket: str, key: str) -> Path:
        """Where the current version's file goes; its folder exists afterwards.

        An object `a` in the way of `a/b` moves aside, since `a` must become a folder.
        """
        root = self._root / bucket
        path = root / key if is_plain(key) else odd_path(self._root, bucket, key)
        if root in path.parents:
            for parent in reversed(path.relative_to(root).parents[:-1]):
                if (root / parent).is_file() and not self._step_aside(bucket, parent.as_posix()):
                    path = odd_path(self._root, bucket, key)
                    break
            if path.is_dir():
                path = odd_path(self._root, bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _step_aside(self, bucket: str, key: str) -> bool:
        row = self._index.row(
            "SELECT * FROM objects WHERE bucket = ? AND key = ? AND latest = 1", bucket, key
        )
        if row is None:
            return False  # an engine's file that is no object yet: leave it where it is
        self._move(row["id"], self._root / row["path"], odd_path(self._root, bucket, key))
        return True

    def _move(self, row_id: int, source: Path, target: Path) -> None:
        if source == target:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        self._index.run(
            "UPDATE objects SET path = ? WHERE id = ?", str(target.relative_to(self._root)), row_id
        )

    def unlink(self, path: Path) -> None:
        """Removes a file and the folders that it leaves empty."""
        path.unlink(missing_ok=True)
        self.remove_empty_parents(path)

    def remove_empty_parents(self, path: Path) -> None:
        """Removes the folders around a file that is gone, up to the bucket's own."""
        bucket = self._root / path.relative_to(self._root).parts[0]
        for parent in path.parents:
            if bucket not in parent.parents:
                return
            try:
                parent.rmdir()
            except OSError:  # not empty
                return
