"""The one image whose work is done here, and what can be imported in it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from localaws.core.runtime.installed import folders, with_requirements
from localaws.errors import NotEmulated

CONTAINER = Path(__file__).with_name("container.py")
# 3.0-5 has XGBoost 3.0.5, as installed here (sagemaker SDK 2.257, image_uri_config/xgboost.json).
IMAGE = re.compile(
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/sagemaker-xgboost:3\.0-5(-cpu-py3)?"
)

# github.com/aws/sagemaker-xgboost-container, requirements.txt, and what those bring with them.
PACKAGES = frozenset(
    """
    xgboost numpy scipy sklearn joblib threadpoolctl narwhals pandas pyarrow pytz tzdata dateutil
    six boto3 botocore s3transfer jmespath urllib3 certifi requests idna charset_normalizer
    matplotlib mpl_toolkits pylab PIL cycler kiwisolver contourpy fontTools pyparsing packaging
    psutil google cryptography cffi _cffi_backend pycparser retrying yaml _yaml typing_extensions
    flask werkzeug gunicorn jinja2 markupsafe setuptools pkg_resources _distutils_hack wheel pip
    """.split()  # noqa: SIM905 - a list a person can read
)


def check_image(operation: str, parameter: str, image: str) -> None:
    """NotEmulated for any image but SageMaker XGBoost 3.0-5."""
    if not IMAGE.fullmatch(image):
        raise NotEmulated(
            "sagemaker",
            operation,
            f"{parameter}={image}",
            "It has <account>.dkr.ecr.<region>.amazonaws.com/sagemaker-xgboost:3.0-5.",
        )


def command(what: str, *arguments: str) -> list[str]:
    """The command line that trains ("train") or serves ("serve") with the image's packages."""
    return [
        *(sys.executable, "-I", "-S", "-u", "-X", "utf8", str(CONTAINER)),
        *(what, folders(), ",".join(sorted(with_requirements(PACKAGES))), *arguments),
    ]
