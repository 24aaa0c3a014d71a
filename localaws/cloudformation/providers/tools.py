"""What tools put into every stack: AWS::SSM::Parameter, AWS::ECR::Repository and
AWS::CDK::Metadata."""

from __future__ import annotations

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    document,
    ignoring_missing,
    picked,
)


class Parameter(Provider):
    type = "AWS::SSM::Parameter"
    name_property = "Name"
    replaced_by = ("Name",)
    attributes = ("Type", "Value")
    changing = ("Value",)
    plain = ("Type", "Value", "Description", "DataType", "Tier")
    properties = ("Name", *plain)

    def create(self, request: ResourceRequest) -> Made:
        return self._put(request, request.properties.get("Name") or request.name(128), False)

    def update(self, request: ResourceRequest) -> Made:
        return self._put(request, request.physical_id, True)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("ssm", "delete_parameter", Name=request.physical_id)

    def _put(self, request: ResourceRequest, name: str, overwrite: bool) -> Made:
        given = picked(request.properties, self.plain)
        request.call("ssm", "put_parameter", Name=name, Overwrite=overwrite, **given)
        return Made(name, {"Type": given["Type"], "Value": str(given["Value"])})


class Repository(Provider):
    type = "AWS::ECR::Repository"
    name_property = "RepositoryName"
    replaced_by = ("RepositoryName",)
    attributes = ("Arn", "RepositoryUri")
    properties = (
        *("RepositoryName", "ImageTagMutability", "ImageScanningConfiguration", "EmptyOnDelete"),
        *("LifecyclePolicy.LifecyclePolicyText", "RepositoryPolicyText", "Tags"),
    )

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("RepositoryName") or request.name(128, lower=True)
        made = request.call(
            *("ecr", "create_repository"),
            repositoryName=name,
            imageTagMutability=request.properties.get("ImageTagMutability"),
            imageScanningConfiguration=_scanning(request),
            tags=request.tag_list(),
        )["repository"]
        request.physical_id = name  # there already, should a policy be refused
        self._policies(request, name)
        return Made(name, {"Arn": made["repositoryArn"], "RepositoryUri": made["repositoryUri"]})

    def update(self, request: ResourceRequest) -> Made:
        name = request.physical_id
        request.call(
            *("ecr", "put_image_tag_mutability"),
            repositoryName=name,
            imageTagMutability=request.properties.get("ImageTagMutability", "MUTABLE"),
        )
        request.call(
            *("ecr", "put_image_scanning_configuration"),
            repositoryName=name,
            imageScanningConfiguration=_scanning(request) or {"scanOnPush": False},
        )
        self._policies(request, name)
        return Made(name, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("ecr", "delete_repository", repositoryName=request.physical_id)

    @staticmethod
    def _policies(request: ResourceRequest, name: str) -> None:
        new, old = request.properties, request.previous
        if "LifecyclePolicy" in new:
            text = new["LifecyclePolicy"]["LifecyclePolicyText"]
            given = {"repositoryName": name, "lifecyclePolicyText": text}
            request.call("ecr", "put_lifecycle_policy", **given)
        elif "LifecyclePolicy" in old:
            request.call("ecr", "delete_lifecycle_policy", repositoryName=name)
        if "RepositoryPolicyText" in new:
            text = document(new["RepositoryPolicyText"])
            request.call("ecr", "set_repository_policy", repositoryName=name, policyText=text)
        elif "RepositoryPolicyText" in old:
            request.call("ecr", "delete_repository_policy", repositoryName=name)


def _scanning(request: ResourceRequest) -> dict[str, bool] | None:
    given = request.properties.get("ImageScanningConfiguration")
    return None if given is None else {"scanOnPush": given.get("ScanOnPush", False)}


class CdkMetadata(Provider):
    """What the CDK says of the constructs that made a stack: there to be counted by AWS."""

    type = "AWS::CDK::Metadata"
    properties = ("Analytics",)

    def create(self, request: ResourceRequest) -> Made:
        return Made(request.physical_id or request.name(64))

    update = create

    def delete(self, request: ResourceRequest) -> None:
        """There is nothing."""


PROVIDERS = (Parameter(), Repository(), CdkMetadata())
