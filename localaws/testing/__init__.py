"""A local AWS for other projects' tests: a context manager, a decorator, pytest fixtures.

    from localaws.testing import local_aws

    @local_aws
    def test_it() -> None:
        boto3.client("s3").create_bucket(Bucket="lake")

It is used as moto's `mock_aws` is, but is a server of this process on a port of its own: whatever
asks AWS by the environment finds it, also a child process. See docs/clients.md.
"""

from localaws.testing.context import LocalAwsContext, local_aws
from localaws.testing.running import Running

__all__ = ["LocalAwsContext", "Running", "local_aws"]
