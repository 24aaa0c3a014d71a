"""A key and a network of one's own, where the settings name them (docs/security.md)."""

from __future__ import annotations

from infrastructure.names import NETWORK
from infrastructure.words import Json, ref, resource, sub, when

NOTHING = ref("AWS::NoValue")
OF_S3 = {"SSEAlgorithm": "AES256"}
OF_KEY = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": ref("KmsKey")}
# With a bucket key S3 asks KMS once for many objects.
ENCRYPTED = {
    "ServerSideEncryptionConfiguration": [
        when(
            "HasKey",
            {"ServerSideEncryptionByDefault": OF_KEY, "BucketKeyEnabled": True},
            {"ServerSideEncryptionByDefault": OF_S3},
        )
    ]
}
KEY = when("HasKey", ref("KmsKey"), NOTHING)


def parameters() -> Json:
    def text(description: str, kind: str = "String") -> Json:
        return {"Type": kind, "Description": description}

    return {
        "KmsKey": text("ARN of the key that data lies under; empty: the services' own"),
        "VpcSubnets": text("Subnets of functions, training and endpoint", "CommaDelimitedList"),
        "VpcSecurityGroups": text("Their security groups", "CommaDelimitedList"),
        "VpcFirstSubnet": text("Of these the one of the Glue job; empty: no network"),
        "VpcAvailabilityZone": text("Where that is"),
    }


def conditions() -> Json:
    return {
        "HasKey": {"Fn::Not": [{"Fn::Equals": [ref("KmsKey"), ""]}]},
        "HasNetwork": {"Fn::Not": [{"Fn::Equals": [ref("VpcFirstSubnet"), ""]}]},
    }


def of_functions() -> Json:
    """VpcConfig of a function."""
    network = {"SubnetIds": ref("VpcSubnets"), "SecurityGroupIds": ref("VpcSecurityGroups")}
    return when("HasNetwork", network, NOTHING)


def of_glue_job() -> Json:
    """Connections of a Glue job."""
    return when("HasNetwork", {"Connections": [ref("Network")]}, NOTHING)


def network() -> Json:
    return {
        "Network": resource(
            "AWS::Glue::Connection",
            {
                "CatalogId": ref("AWS::AccountId"),
                "ConnectionInput": {
                    "Name": sub(NETWORK),
                    "ConnectionType": "NETWORK",
                    "ConnectionProperties": {},
                    "PhysicalConnectionRequirements": {
                        "SubnetId": ref("VpcFirstSubnet"),
                        "SecurityGroupIdList": ref("VpcSecurityGroups"),
                        "AvailabilityZone": ref("VpcAvailabilityZone"),
                    },
                },
            },
            Condition="HasNetwork",
        )
    }
