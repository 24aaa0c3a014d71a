"""AWS::Serverless-2016-10-31, by AWS's own translator: a SAM template becomes a plain one.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy.html
"""

from __future__ import annotations

import json

import boto3

from localaws.cloudformation.template import document_of, invalid
from localaws.errors import AwsError, NotEmulated
from localaws.identity import managed
from localaws.shapes import Json

SERVERLESS = "AWS::Serverless-2016-10-31"


def declared(document: Json) -> list[str]:
    """The transforms that a template names."""
    given = document.get("Transform", [])
    return [str(item) for item in (given if isinstance(given, list) else [given])]


def processed(body: str, given: list[Json], previous: dict[str, str], region: str) -> str:
    """The template that is worked on: with a Transform its outcome, else the body itself.

    `given` are the parameters of the request, `previous` the values that the stack has. Raises
    ValidationError for what the translator refuses, NotEmulated for other transforms.
    """
    document = document_of(body)
    transforms = declared(document)
    if not transforms:
        return body
    if transforms != [SERVERLESS]:
        other = ", ".join(name for name in transforms if name != SERVERLESS)
        raise NotEmulated("cloudformation", "CreateStack", f"TemplateBody.Transform {other}")
    values = {
        item["ParameterKey"]: previous.get(item["ParameterKey"], "")
        if item.get("UsePreviousValue")
        else item.get("ParameterValue", "")
        for item in given
    }
    # A sixth of the server's start, for few templates.
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.utils.py27hash_fix import (
        to_py27_compatible_template,
        undo_mark_unicode_str_in_template,
    )

    policies = {arn.rpartition("/")[2]: arn for arn in managed.policies()}
    translator = Translator(policies, Parser(), boto_session=boto3.Session(region_name=region))
    try:
        to_py27_compatible_template(document, values)  # as `transform` does: names carry hashes
        plain = undo_mark_unicode_str_in_template(translator.translate(document, values))
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise invalid(f"Transform {SERVERLESS} failed with: {error.message} {causes}") from error
    return json.dumps({name: value for name, value in plain.items() if name != "Transform"})


def check_capability(body: str, capabilities: list[str]) -> None:
    """A stack that is made at once, without a change set to look at, asks for a word more."""
    if declared(document_of(body)) and "CAPABILITY_AUTO_EXPAND" not in capabilities:
        raise AwsError(
            "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
        )
