"""Iceberg tables: what Athena does with them, on the files that Spark and pyiceberg read.

The server reads a table's state and plans; a worker (`work.py`) reads and writes files: pyiceberg
for the metadata, DuckDB for the rows. https://iceberg.apache.org/spec/
"""
