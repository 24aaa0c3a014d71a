"""Repositories of Amazon ECR and what is set on them; images cannot be pushed.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import re

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json

KIND = "ecr-repository"  # documents: name -> {"shape", "lifecycle", "policy", "tags"}
NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
PAGE = 100


def service(aws: LocalAws) -> Service:
    built = Service(
        "ecr",
        notes="There is no registry behind it: GetAuthorizationToken and everything that images"
        " are pushed and pulled with is refused.",
    )
    Repositories(aws).register(built)
    return built


class Repositories:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._documents = aws.documents

    def register(self, service: Service) -> None:
        take, name = service.operation, ("registryId", "repositoryName")
        take(
            *("CreateRepository", *name, "tags", "imageTagMutability"),
            *("imageScanningConfiguration.scanOnPush", "encryptionConfiguration.encryptionType"),
        )(self.create)
        take("DescribeRepositories", "registryId", "repositoryNames", "nextToken", "maxResults")(
            self.describe
        )
        take("DeleteRepository", *name, "force")(self.delete)
        take("PutImageTagMutability", *name, "imageTagMutability")(self.change)
        take("PutImageScanningConfiguration", *name, "imageScanningConfiguration.scanOnPush")(
            self.change
        )
        take("PutLifecyclePolicy", *name, "lifecyclePolicyText")(self.put_lifecycle)
        take("GetLifecyclePolicy", *name)(self.lifecycle)
        take("DeleteLifecyclePolicy", *name)(self.delete_lifecycle)
        take("SetRepositoryPolicy", *name, "policyText", "force")(self.put_policy)
        take("GetRepositoryPolicy", *name)(self.policy)
        take("DeleteRepositoryPolicy", *name)(self.delete_policy)
        take("ListTagsForResource", "resourceArn")(self.tags)

    def create(self, call: Call) -> Json:
        name = call.params["repositoryName"]
        if not 2 <= len(name) <= 256 or not NAME.fullmatch(name):
            raise AwsError(
                "InvalidParameterException",
                f"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must"
                f" satisfy regular expression {NAME.pattern}', it is {name!r}",
            )
        aws = self._aws
        shape = {
            "repositoryArn": f"arn:aws:ecr:{aws.region}:{aws.account}:repository/{name}",
            "registryId": aws.account,
            "repositoryName": name,
            "repositoryUri": f"{aws.account}.dkr.ecr.{aws.region}.amazonaws.com/{name}",
            "createdAt": aws.clock.now(),
            "imageTagMutability": call.params.get("imageTagMutability", "MUTABLE"),
            "imageScanningConfiguration": {
                "scanOnPush": False, **call.params.get("imageScanningConfiguration", {})
            },
            "encryptionConfiguration": {
                "encryptionType": "AES256", **call.params.get("encryptionConfiguration", {})
            },
        }  # fmt: skip
        kept = {"shape": shape, "tags": call.params.get("tags", [])}
        if not self._documents.insert(KIND, name, kept):
            raise AwsError(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{name}' already exists in the registry with id"
                f" '{aws.account}'",
            )
        return {"repository": shape}

    def describe(self, call: Call) -> Json:
        wanted = call.params.get("repositoryNames")
        if wanted:
            return {"repositories": [self._find(name)["shape"] for name in wanted]}
        there = ((name, kept["shape"]) for name, kept in self._documents.items(KIND))
        most = int(call.params.get("maxResults", PAGE))
        found = page(there, call.params.get("nextToken"), most, invalid=_invalid_token)
        return {"repositories": found.items, **found.next("nextToken")}

    def delete(self, call: Call) -> Json:
        kept = self._find(call.params["repositoryName"])
        self._documents.delete(KIND, call.params["repositoryName"])
        return {"repository": kept["shape"]}

    def change(self, call: Call) -> Json:
        """The members of the repository that the request names."""
        name = call.params["repositoryName"]
        given = {
            member: value
            for member, value in call.params.items()
            if member in ("imageTagMutability", "imageScanningConfiguration")
        }
        with self._documents.changing(KIND, name, self._missing(name)) as kept:
            kept["shape"] |= given
        return self._named(name) | given

    def put_lifecycle(self, call: Call) -> Json:
        return self._put(call, "lifecycle", "lifecyclePolicyText")

    def lifecycle(self, call: Call) -> Json:
        return self._get(call, "lifecycle", "lifecyclePolicyText", "LifecyclePolicyNotFound")

    def delete_lifecycle(self, call: Call) -> Json:
        return self._remove(call, self.lifecycle(call), "lifecycle")

    def put_policy(self, call: Call) -> Json:
        return self._put(call, "policy", "policyText")

    def policy(self, call: Call) -> Json:
        return self._get(call, "policy", "policyText", "RepositoryPolicyNotFound")

    def delete_policy(self, call: Call) -> Json:
        return self._remove(call, self.policy(call), "policy")

    def tags(self, call: Call) -> Json:
        return {"tags": self._find(call.params["resourceArn"].partition("/")[2])["tags"]}

    def _put(self, call: Call, kind: str, member: str) -> Json:
        name, text = call.params["repositoryName"], call.params[member]
        try:
            json.loads(text)
        except ValueError as error:
            raise AwsError(
                "InvalidParameterException", f"Invalid parameter at '{member}': {error}"
            ) from error
        with self._documents.changing(KIND, name, self._missing(name)) as kept:
            kept[kind] = text
        return self._named(name) | {member: text}

    def _get(self, call: Call, kind: str, member: str, missing: str) -> Json:
        name = call.params["repositoryName"]
        kept = self._find(name)
        if kind not in kept:
            raise AwsError(
                f"{missing}Exception",
                f"There is none for the repository with name '{name}' in the registry with id"
                f" '{self._aws.account}'",
            )
        return self._named(name) | {member: kept[kind]}

    def _remove(self, call: Call, answer: Json, kind: str) -> Json:
        name = call.params["repositoryName"]
        with self._documents.changing(KIND, name, self._missing(name)) as kept:
            del kept[kind]
        return answer

    def _find(self, name: str) -> Json:
        kept = self._documents.get(KIND, name)
        if kept is None:
            raise self._missing(name)
        return kept

    def _missing(self, name: str) -> AwsError:
        return AwsError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id"
            f" '{self._aws.account}'",
        )

    def _named(self, name: str) -> Json:
        return {"registryId": self._aws.account, "repositoryName": name}


def _invalid_token(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
