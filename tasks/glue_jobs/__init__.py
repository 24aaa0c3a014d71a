"""Spark scripts that AWS Glue runs. Each is self-contained: Spark and awsglue, nothing of ours."""
