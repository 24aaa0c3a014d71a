"""Which installed packages a function may import: the runtime's own, plus those of its layers."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import sysconfig
from collections.abc import Mapping

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


@functools.cache
def with_requirements(names: frozenset[str]) -> frozenset[str]:
    """The packages and what their installed versions need, which differs from version to version.

    Takes and gives import names; one that is not installed here stays as it is.
    """
    distributions = installed()
    wanted = {found for name in names for found in distributions.get(name, [])}
    seen: set[str] = set()
    while wanted - seen:
        name = min(wanted - seen)
        seen.add(name)
        wanted |= {normal(need) for need in requirements(name)}
    modules = {
        module
        for module, owners in distributions.items()
        if any(normal(owner) in {normal(one) for one in seen} for owner in owners)
    }
    return names | frozenset(modules)


@functools.cache
def installed() -> Mapping[str, list[str]]:
    """Import name to the distributions that bring it; half a second to find out."""
    return importlib.metadata.packages_distributions()


def normal(distribution: str) -> str:
    """A distribution's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def requirements(distribution: str) -> list[str]:
    """The names that a distribution needs without its extras."""
    try:
        lines = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [
        re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0] for line in lines if "extra" not in line
    ]


def folders() -> str:
    """Where packages are installed, joined by `os.pathsep`."""
    paths = sysconfig.get_paths()
    return os.pathsep.join(dict.fromkeys((paths["purelib"], paths["platlib"])))
