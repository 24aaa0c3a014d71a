"""A worker of the local AWS that writes down what its DuckDB is told.

    python -m benchmarks.recorded_worker RECORD.jsonl LIMITS

`benchmarks.recording` starts it in place of `localaws.core.jobs.child`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.recording import Record, record_duckdb
from localaws.core.jobs import child

if __name__ == "__main__":
    record_duckdb(Record(Path(sys.argv[1])))
    child.main(sys.argv[2])
