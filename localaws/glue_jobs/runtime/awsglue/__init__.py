"""A stand-in for AWS Glue's Python library, over Spark's data frames.

What scripts import is here; what localaws does not do raises `NotEmulated` with its name when it is
used. Semantics are those of AWS's developer guide and of the public contract of
awslabs/aws-glue-libs.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """`from awsglue import DynamicFrame`, loaded when it is wanted: jobs without one start
    sooner."""
    if name == "DynamicFrame":
        from awsglue.dynamicframe import DynamicFrame

        return DynamicFrame
    raise AttributeError(f"module 'awsglue' has no attribute {name!r}")
