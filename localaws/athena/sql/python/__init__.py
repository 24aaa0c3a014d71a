"""Functions in Python that compiled queries call, where DuckDB has nothing of the same meaning."""
