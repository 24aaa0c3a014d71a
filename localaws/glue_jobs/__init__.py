"""Glue jobs: the unmodified PySpark script in a Spark of its own, over the objects in place."""
