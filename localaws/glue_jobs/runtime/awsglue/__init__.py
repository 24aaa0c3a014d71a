"""A stand-in for AWS Glue's Python library: what scripts need to run their Spark code locally.

Real: `getResolvedOptions`, `GlueContext` with its `spark_session`, `Job`. Everything else raises
`NotEmulated` with its name at the moment it is used.
"""
