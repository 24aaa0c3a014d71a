"""Which installed packages a function may import: the runtime's own, plus those of its layers."""

from __future__ import annotations

import re

from localaws.core.runtime.installed import with_requirements

# What the Lambda Python 3.11 runtime brings besides the standard library
# (docs.aws.amazon.com/lambda/latest/dg/lambda-python.html: boto3 and what it needs).
RUNTIME = frozenset(
    ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "simplejson")
)

# AWS-managed layer AWSSDKPandas (aws-sdk-pandas.readthedocs.io, "AWS Lambda layer").
AWS_SDK_PANDAS = frozenset(
    """
    awswrangler pandas numpy pyarrow pytz tzdata typing_extensions packaging
    pymysql pg8000 scramp asn1crypto redshift_connector requests idna certifi
    charset_normalizer lxml bs4 soupsieve gremlin_python aiohttp opensearchpy requests_aws4auth
    jsonpath_ng ply openpyxl et_xmlfile progressbar python_utils SPARQLWrapper rdflib
    isodate pyparsing aenum nest_asyncio
    """.split()  # noqa: SIM905 - a list a person can read
)

LAYER = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:336392948345:layer:AWSSDKPandas-Python311(-Arm64)?:\d+"
)


def is_known_layer(arn: str) -> bool:
    """Whether the layer's content is installed here: the AWS-managed awswrangler layer only."""
    return LAYER.fullmatch(arn) is not None


def allowed(layers: list[str]) -> frozenset[str]:
    """Top-level package names a function with these layers may import."""
    return with_requirements(RUNTIME | AWS_SDK_PANDAS if layers else RUNTIME)
