# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for Systems Manager, with stricter checks for parameters."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.ssm.exceptions import ParameterAlreadyExists, ParameterVersionNotFound
from moto.ssm.models import PARAMETER_VERSION_LIMIT, Parameter
from moto.ssm.responses import SimpleSystemManagerResponse
from moto.ssm.utils import parameter_arn

from ..ec2.access import Caller
from ..exceptions import NotSimulated
from ..iam.current_principal import current_principal
from ..settings import SETTINGS
from . import concurrent_updates, image_validation, parameter_checks, shared_parameters
from .errors import not_valid, ssm_error


class StrictSsmResponse(SimpleSystemManagerResponse):
    """Adds checks of requests, and the asynchronous validation of AMI IDs."""

    @property
    def caller(self) -> Caller:
        """The account and Region of the request."""
        return Caller(self.current_account, self.region)

    def call_action(self) -> Any:
        """Store the values whose validation has ended, then run one action at a time."""
        with image_validation.LOCK:
            image_validation.settle(self.caller)
            return super().call_action()

    def put_parameter(self) -> ActionResult:
        """PutParameter; an AMI ID becomes a version of the parameter only after its validation."""
        request: dict[str, Any] = json.loads(self.body)
        name = request["Name"].strip()
        present = self._present(name)
        if present is None:
            parameter_checks.require_name(name, parameter_arn(self.current_account, self.region, name))
        if request.get("Overwrite") and request.get("Tags"):
            # moto's message; moto itself checks too late for a value that is validated first.
            raise not_valid("Invalid request: tags and overwrite can't be used together.")
        if image_validation.is_running(self.caller, name):
            raise ssm_error(SETTINGS.parameter_rewrite_error_code, f"The value of {name} is being validated.")
        with concurrent_updates.update_of(self.caller, name):
            return self._put(request, name, present)

    def _put(self, request: dict[str, Any], name: str, present: Parameter | None) -> ActionResult:
        if present is not None and not request.get("Overwrite"):
            raise ParameterAlreadyExists
        parameter_checks.require_type(request, present)
        tier = parameter_checks.tier(request, present)
        if len(self.ssm_backend._parameters[name] if present else []) >= PARAMETER_VERSION_LIMIT:
            self.ssm_backend._check_for_parameter_version_limit_exception(name)
        stored = {
            "name": name,
            "description": request.get("Description"),
            "value": request["Value"],
            "parameter_type": request.get("Type"),
            "allowed_pattern": request.get("AllowedPattern"),
            "keyid": request.get("KeyId"),
            "overwrite": request.get("Overwrite", False),
            "tags": request.get("Tags"),
            "data_type": request.get("DataType", "text"),
            "tier": tier,
            "policies": request.get("Policies"),
        }
        version = present.version + 1 if present else 1
        if stored["data_type"] == parameter_checks.EC2_IMAGE:
            image_validation.begin(self.caller, name, request["Value"], stored)
        else:
            self.ssm_backend.put_parameter(**stored)
        return ActionResult({"Version": version, "Tier": tier})

    def get_parameter(self) -> ActionResult:
        """GetParameter; an unknown label is ParameterVersionNotFound, like an unknown version number."""
        if shared_parameters.is_of_other(self.caller, self._get_param("Name")):
            return ActionResult({"Parameter": self._of_other(self._get_param("Name"))})
        name, _, selector = self._get_param("Name").partition(":")
        known = selector and not name.startswith("arn") and self._present(name)
        if known and self.ssm_backend.get_parameter(f"{name}:{selector}") is None:
            raise ParameterVersionNotFound(f"Systems Manager could not find version {selector} of {name}.")
        return super().get_parameter()

    def get_parameters(self) -> ActionResult:
        """GetParameters, also by ARN, which moto takes in GetParameter only, and of shared parameters.

        What AWS returns for a parameter of another account that is not shared is not documented.
        """
        names: list[str] = self._get_param("Names")
        arns = [name for name in names if shared_parameters.owner_of(name) is not None]
        if not arns:
            return super().get_parameters()
        if arns != names:
            raise NotSimulated("GetParameters by name and by ARN at once")
        found = {name: shared_parameters.readable(self.caller, name) for name in names}
        return ActionResult(
            {
                "Parameters": [
                    one.response_object(False, self.region) for one in found.values() if one is not None
                ],
                "InvalidParameters": [name for name, one in found.items() if one is None],
            }
        )

    def _of_other(self, arn: str) -> dict[str, Any]:
        """A parameter of another account, which must be shared (IAM User Guide, "Cross-account resource
        access in IAM": a resource-based policy has to allow it; AWS RAM attaches that).
        """
        parameter = shared_parameters.readable(self.caller, arn)
        if parameter is None:
            message = (
                f"User: {current_principal(self.current_account).caller_arn} is not authorized to perform: "
                f"ssm:GetParameter on resource: {arn} because no resource-based policy allows the "
                "ssm:GetParameter action"
            )
            raise ssm_error("AccessDeniedException", message)
        described: dict[str, Any] = parameter.response_object(False, self.region)
        return described

    def label_parameter_version(self) -> ActionResult:
        """LabelParameterVersion; moto checks reserved prefixes in lower case only."""
        kept, reserved = parameter_checks.split_labels(self._get_param("Labels"))
        name = self._get_param("Name")
        with concurrent_updates.update_of(self.caller, name):
            invalid, version = self.ssm_backend.label_parameter_version(
                name, self._get_param("ParameterVersion"), kept
            )
        return ActionResult({"InvalidLabels": [*reserved, *invalid], "ParameterVersion": version})

    def unlabel_parameter_version(self) -> ActionResult:
        """UnlabelParameterVersion."""
        with concurrent_updates.update_of(self.caller, self._get_param("Name")):
            return super().unlabel_parameter_version()

    def add_tags_to_resource(self) -> ActionResult:
        """AddTagsToResource, with AWS's limits for parameters."""
        self._require_resource()
        with concurrent_updates.update_of(self.caller, self._get_param("ResourceId")):
            if self._get_param("ResourceType") == "Parameter":
                tags = {tag["Key"]: tag["Value"] for tag in self._get_param("Tags")}
                present = self.ssm_backend.list_tags_for_resource("Parameter", self._get_param("ResourceId"))
                parameter_checks.require_tags(present, tags)
            return super().add_tags_to_resource()

    def remove_tags_from_resource(self) -> ActionResult:
        """RemoveTagsFromResource."""
        self._require_resource()
        with concurrent_updates.update_of(self.caller, self._get_param("ResourceId")):
            return super().remove_tags_from_resource()

    def list_tags_for_resource(self) -> ActionResult:
        """ListTagsForResource."""
        self._require_resource()
        return super().list_tags_for_resource()

    def _require_resource(self) -> None:
        """InvalidResourceId, without a message, for a parameter that does not exist (getmoto/moto#4360)."""
        if self._get_param("ResourceType") == "Parameter" and not self._present(
            self._get_param("ResourceId")
        ):
            raise ssm_error("InvalidResourceId", "")

    def _present(self, name: str) -> Parameter | None:
        # A lookup by name would add an empty entry to moto's defaultdict.
        return self.ssm_backend.get_parameter(name) if name in self.ssm_backend._parameters else None
