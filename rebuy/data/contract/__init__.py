"""A data contract: what a folder of raw files is, and what a run would refuse of it.

`sources` says which files are meant, `checking` looks at them, `figures` counts, `page` and `text`
show. The rules are the run's own: `tasks.functions.first_look` for bytes, `sql/checks` for rows.
"""
