"""One request on its way through the gateway: what each step has found out so far."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from moto.core.model import OperationModel
from moto.core.request import Request
from werkzeug.wrappers import Response

from localaws.core.service import Operation, Service
from localaws.errors import AwsError
from localaws.identity.caller import Caller
from localaws.shapes import Json


@dataclass
class Exchange:
    """A request and what is known of it. Each step of the gateway fills in what it is named for."""

    request: Request
    inside: Caller | None = None  # who sends it in process: said where others sign
    page_of: str | None = None  # the only service that may answer: its rules let a page in
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    # identify
    service_name: str = "s3"
    region: str = "us-east-1"
    # authenticate
    caller: Caller = field(init=False)
    # match
    model: OperationModel | None = None
    uri_parameters: Json = field(default_factory=dict)
    service: Service = field(init=False)
    operation: Operation = field(init=False)
    # parse
    params: Json = field(default_factory=dict)
    # perform: what our handler answered or refused, or a whole response of moto's
    result: Json | AwsError = field(default_factory=dict)
    response: Response | None = None


Handle = Callable[[Request, Caller], Response]
