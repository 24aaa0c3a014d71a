"""The tables of Step Functions, in one SQLite file: resources, executions, history, journal."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, arn TEXT NOT NULL UNIQUE,
  parent TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS resources_by_parent ON resources (kind, parent);
CREATE TABLE IF NOT EXISTS definitions (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS executions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE, machine_arn TEXT NOT NULL,
  name TEXT NOT NULL, status TEXT NOT NULL, input TEXT NOT NULL, output TEXT, error TEXT,
  cause TEXT, started REAL NOT NULL, stopped REAL, definition TEXT NOT NULL, map_run_arn TEXT,
  redrive_count INTEGER NOT NULL DEFAULT 0, redriven REAL, about TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS executions_by_machine ON executions (machine_arn, id);
CREATE INDEX IF NOT EXISTS executions_by_map_run ON executions (map_run_arn, id);
CREATE INDEX IF NOT EXISTS executions_by_status ON executions (status, id);
CREATE TABLE IF NOT EXISTS events (
  key INTEGER PRIMARY KEY, previous INTEGER NOT NULL, type TEXT NOT NULL, time REAL NOT NULL,
  details TEXT);
CREATE TABLE IF NOT EXISTS journal (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, execution INTEGER NOT NULL, frame INTEGER NOT NULL,
  record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS journal_by_execution ON journal (execution, sequence);
CREATE TABLE IF NOT EXISTS tokens (
  token TEXT PRIMARY KEY, execution INTEGER NOT NULL, frame INTEGER NOT NULL, outcome TEXT);
"""
MIGRATIONS = (SCHEMA,)
