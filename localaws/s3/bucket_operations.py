"""Buckets: create, list, look at, delete; and what every bucket answers alike."""

from __future__ import annotations

from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.s3.configurations import register as register_configurations
from localaws.s3.listing import OWNER
from localaws.s3.objects import Objects
from localaws.s3.policy import allows_public
from localaws.shapes import Json

FIRST_REGION = "us-east-1"
# As S3 makes every new bucket since April 2023.
PRIVATE: Json = {
    "publicAccessBlock": {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    },
    "ownership": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
}
_FULL_CONTROL: Json = {
    "Owner": OWNER,
    "Grants": [{"Grantee": {"Type": "CanonicalUser", **OWNER}, "Permission": "FULL_CONTROL"}],
}


def check_acl(operation: str, params: Json) -> None:
    """Only the canned ACLs that change nothing when the bucket's owner owns every object."""
    if params.get("ACL", "private") not in ("private", "bucket-owner-full-control"):
        raise AwsError(
            "AccessControlListNotSupported",
            f"The bucket does not allow ACLs ({operation} with ACL {params['ACL']}); use a bucket"
            " policy.",
        )


class BucketOperations:
    """Buckets; their configurations are a table of their own."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._buckets = objects.buckets

    def register(self, service: Service) -> None:
        register_configurations(service, self._buckets)
        service.operation(
            *("CreateBucket", "Bucket", "CreateBucketConfiguration.LocationConstraint", "ACL"),
            *("ObjectOwnership", "CreateBucketConfiguration.Tags"),
        )(self.create_bucket)
        service.operation("HeadBucket", "Bucket", "ExpectedBucketOwner")(self.head_bucket)
        service.operation(
            "ListBuckets", "MaxBuckets", "ContinuationToken", "Prefix", "BucketRegion"
        )(self.list_buckets)
        service.operation("DeleteBucket", "Bucket", "ExpectedBucketOwner")(self.delete_bucket)
        service.operation("GetBucketLocation", "Bucket", "ExpectedBucketOwner")(
            self.get_bucket_location
        )
        service.operation("GetBucketAcl", "Bucket", "ExpectedBucketOwner")(self.get_bucket_acl)
        service.operation("GetBucketPolicyStatus", "Bucket", "ExpectedBucketOwner")(
            self.get_bucket_policy_status
        )
        service.operation("GetBucketLogging", "Bucket", "ExpectedBucketOwner")(
            self.get_bucket_logging
        )
        service.operation(
            "GetObjectAcl", "Bucket", "Key", "VersionId", "RequestPayer", "ExpectedBucketOwner"
        )(self.get_object_acl)

    def create_bucket(self, call: Call) -> Json:
        name = call.params["Bucket"]
        check_acl("CreateBucket", call.params)
        if call.params.get("ObjectOwnership", "BucketOwnerEnforced") != "BucketOwnerEnforced":
            raise NotEmulated("s3", "CreateBucket", "ObjectOwnership", "ACLs are off here.")
        configuration = call.params.get("CreateBucketConfiguration", {})
        place = configuration.get("LocationConstraint", FIRST_REGION)
        if place != call.region:
            raise AwsError(
                "IllegalLocationConstraintException",
                f"The {place} location constraint is incompatible for the region specific endpoint"
                f" this request was sent to, {call.region}.",
            )
        try:
            self._buckets.create(name, place)
        except AwsError as error:
            if error.code != "BucketAlreadyOwnedByYou" or place != FIRST_REGION:
                raise  # in us-east-1 S3 answers 200 for a bucket that one has
        else:
            for kind, document in PRIVATE.items():
                self._buckets.configure(name, kind, document)
            if tags := configuration.get("Tags"):
                self._buckets.configure(name, "tagging", {"TagSet": tags})
        return {"Location": f"/{name}"}

    def head_bucket(self, call: Call) -> Json:
        try:
            bucket = self._buckets.get(call.params["Bucket"])
        except AwsError as error:
            raise AwsError("404", "Not Found", 404) from error
        return {"BucketRegion": bucket.region, "AccessPointAlias": False}

    def list_buckets(self, call: Call) -> Json:
        params = call.params
        after = params.get("ContinuationToken", "")
        found = [
            bucket
            for bucket in self._buckets.all()
            if bucket.name.startswith(params.get("Prefix", ""))
            and bucket.region == params.get("BucketRegion", bucket.region)
            and bucket.name > after
        ]
        shown = found[: int(params.get("MaxBuckets", 10000))]
        answer: Json = {
            "Buckets": [{"Name": bucket.name, "CreationDate": bucket.created} for bucket in shown],
            "Owner": OWNER,
        }
        if len(shown) < len(found):
            answer["ContinuationToken"] = shown[-1].name
        return answer

    def delete_bucket(self, call: Call) -> Json:
        self._objects.discover(call.params["Bucket"])  # files that no one has announced count too
        self._buckets.delete(call.params["Bucket"])
        return {}

    def get_bucket_location(self, call: Call) -> Json:
        region = self._buckets.get(call.params["Bucket"]).region
        return {"LocationConstraint": "" if region == FIRST_REGION else region}

    def get_bucket_acl(self, call: Call) -> Json:
        self._buckets.get(call.params["Bucket"])
        return _FULL_CONTROL

    def get_bucket_policy_status(self, call: Call) -> Json:
        name = call.params["Bucket"]
        policy = self._buckets.configuration(name, "policy")
        if policy is None:
            raise AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
        public = allows_public(policy, "s3:GetObject", f"arn:aws:s3:::{name}/*")
        return {"PolicyStatus": {"IsPublic": public}}

    def get_bucket_logging(self, call: Call) -> Json:
        self._buckets.get(call.params["Bucket"])
        return {}  # PutBucketLogging is refused, so there is none

    def get_object_acl(self, call: Call) -> Json:
        self._objects.head(call.params["Bucket"], call.params["Key"], call.params.get("VersionId"))
        return _FULL_CONTROL
