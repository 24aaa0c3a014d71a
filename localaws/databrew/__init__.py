"""AWS Glue DataBrew: datasets, recipes, recipe jobs and their runs, on DuckDB."""
