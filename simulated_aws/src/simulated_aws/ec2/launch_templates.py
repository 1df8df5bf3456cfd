# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch template versions: based on a source version, and paginated. moto stores the templates."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import EC2Response
from moto.ec2.utils import parse_user_data

from ..exceptions import NotSimulated
from . import state
from .errors import Ec2Error, invalid_value, missing_parameter, parameter_mismatch
from .instances import fingerprint
from .managed_resources import is_shown, operator
from .tags import read_specifications

MOST_RESULTS = 200
"""Maximum page size (botocore shape DescribeLaunchTemplateVersionsRequest, MaxResults)."""
OF_ANY_TEMPLATE = ("$Latest", "$Default")
WITHOUT_TEMPLATE = (
    "To describe the launch template data for all your launch templates, for ‘--versions’ specify ‘$Latest’, "
    "‘$Default’, or both, and omit ‘--launch-template-id’, ‘--launch-template-name’, and version numbers. To "
    "describe the launch template data for a specific launch template, specify ‘--launch-template-id’ or "
    "‘--launch-template-name’, and for ‘--versions’ specify one or more of the following values: ‘$Latest’, "
    "‘$Default’, or one or more version numbers."
)
"""AWS's message; its codes are MissingParameter without versions, InvalidParameterValue with numbers.

(moto, tests/test_ec2/test_launch_templates.py: two tests that pass against AWS.)
"""


def inherited(source: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a version based on another: those of the source, overwritten by those of the request.

    Snapshots in the source's block devices are dropped unless the request includes them (botocore shape
    CreateLaunchTemplateVersionRequest, SourceVersion).
    """
    data = copy.deepcopy(dict(source))
    for mapping in data.get("BlockDeviceMappings") or []:
        (mapping.get("Ebs") or {}).pop("SnapshotId", None)
    return {**data, **given}


class StrictLaunchTemplates(EC2Response):
    """Adds the source version and pagination, which moto ignores."""

    def create_launch_template(self) -> ActionResult:
        """Create a template, of an AWS service if the request names one.

        TagSpecifications are the template's tags (botocore shape CreateLaunchTemplateRequest); moto adds them
        to the data of its first version.
        """
        tags = self._get_param("TagSpecifications", [])
        read_specifications({"TagSpecifications": tags}, "launch-template")
        of_instances = list(self._get_param("LaunchTemplateData", {}).get("TagSpecifications", []))
        created = super().create_launch_template()
        view: Any = created.result
        template: Any = self.ec2_backend.get_launch_template(view["LaunchTemplate"]["LaunchTemplateId"])
        data = template.default_version().data
        data.pop("TagSpecifications", None)
        if of_instances:
            data["TagSpecifications"] = of_instances
        template.operator = operator(self._get_param("Operator.Principal"))
        return created

    def create_launch_template_version(self) -> ActionResult:
        """Create a version from the request and a source version (operation CreateLaunchTemplateVersion)."""
        template = self._one_template()
        if self._get_param("ResolveAlias", False):
            raise NotSimulated("parameter ResolveAlias")
        given = dict(self._get_param("LaunchTemplateData", {}))
        if not given:
            raise missing_parameter("LaunchTemplateData")
        if given.get("UserData"):
            given["UserData"] = parse_user_data(given["UserData"])
        self.error_on_dryrun()
        source = self._get_param("SourceVersion")
        description = self._get_param("VersionDescription")
        # EC2 Developer Guide, Ensuring idempotency: botocore sends a token of its own with every request, and
        # the same one if it repeats it.
        token = self._get_param("ClientToken")
        tokens = state.account_region(self.current_account, self.region).template_tokens
        asked = fingerprint(template.id, source, given, description)
        use = tokens.get(token)
        if use and use.fingerprint != asked:
            raise parameter_mismatch()
        if use:
            version = template.get_version(use.version)
        else:
            data = inherited(template.get_version(source).data, given) if source else given
            version = template.create_version(data, description)
        if token:
            tokens[token] = state.TemplateUse(asked, version.number)
        return ActionResult({"LaunchTemplateVersion": self._view(template, version)})

    def describe_launch_template_versions(self) -> ActionResult:
        """List versions of one template, or the latest and default versions of all."""
        for name in ("Filters", "MinVersion", "MaxVersion"):
            if self._get_param(name):
                raise NotSimulated(f"parameter {name}")
        if self._get_param("ResolveAlias", False):
            raise NotSimulated("parameter ResolveAlias")
        most = self._get_int_param("MaxResults", MOST_RESULTS)
        if not 1 <= most <= MOST_RESULTS:
            raise invalid_value("MaxResults", most, f"It must be from 1 to {MOST_RESULTS}.")
        self.error_on_dryrun()
        found = self._versions(self._get_param("Versions", []))
        start = int(self._get_param("NextToken") or 0)
        page: dict[str, Any] = {
            "LaunchTemplateVersions": [self._view(*one) for one in found[start : start + most]]
        }
        if len(found) > start + most:
            page["NextToken"] = str(start + most)
        return ActionResult(page)

    def _versions(self, wanted: list[str]) -> list[tuple[LaunchTemplate, LaunchTemplateVersion]]:
        if self._get_param("LaunchTemplateName") or self._get_param("LaunchTemplateId"):
            template = self._one_template()
            versions = [template.get_version(one) for one in wanted] if wanted else template.versions
            return [(template, one) for one in dict.fromkeys(versions)]
        if not wanted or not set(wanted) <= set(OF_ANY_TEMPLATE):
            raise Ec2Error("InvalidParameterValue" if wanted else "MissingParameter", WITHOUT_TEMPLATE)
        return [
            (template, version)
            for template in self.ec2_backend.launch_templates.values()
            if is_shown(template, self._get_bool_param("IncludeManagedResources", False))
            for version in dict.fromkeys(template.get_version(one) for one in wanted)
        ]

    def _one_template(self) -> LaunchTemplate:
        name, template_id = self._get_param("LaunchTemplateName"), self._get_param("LaunchTemplateId")
        if name and template_id:
            message = "Specify a launch template by its id or its name, not both."
            raise Ec2Error("InvalidParameterCombination", message)
        if not name and not template_id:
            raise missing_parameter("LaunchTemplateId")
        backend: EC2Backend = self.ec2_backend
        if name:
            return backend.get_launch_template_by_name(name)
        return backend.get_launch_template(template_id)

    def _view(self, template: LaunchTemplate, version: LaunchTemplateVersion) -> dict[str, Any]:
        return {
            "CreateTime": version.create_time,
            "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
            "DefaultVersion": template.is_default(version),
            "LaunchTemplateData": version.data,
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "Operator": getattr(template, "operator", operator(None)),
            "VersionDescription": version.description,
            "VersionNumber": version.number,
        }
