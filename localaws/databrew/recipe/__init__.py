"""The recipe compiler: steps and an input schema in, DuckDB SQL out. Pure; knows no AWS.

Where the DataBrew guide is silent, Spark's behaviour is taken (DataBrew runs on Spark): nulls sort
first, null keys form a group, division by zero is null, casts truncate and never fail.
"""
