# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers this package's request handler and backend in moto, so that EC2 gets the stricter checks."""

from __future__ import annotations

from moto.ec2 import urls
from moto.ec2.models import ec2_backends
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.utils import filter_dict_attribute_mapping

from .deferred_checks import COPY_CHECKS, LAUNCH_CHECKS
from .key_permissions import check_copy_keys, check_launch_keys
from .moto_backend import StrictEC2Backend
from .moto_responses import StrictEC2Response


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect.

    Existing backends are dropped, because they are instances of moto's class.
    """
    if ec2_backends.backend is StrictEC2Backend:
        return
    COPY_CHECKS.append(check_copy_keys)
    LAUNCH_CHECKS.append(check_launch_keys)
    ec2_backends.clear()
    ec2_backends.backend = StrictEC2Backend
    # botocore shape DescribeInstancesRequest, Filters.
    filter_dict_attribute_mapping["client-token"] = "client_token"
    # moto shows the tags that a launch template was created with, whatever has become of them.
    LaunchTemplate.tags = property(LaunchTemplate.get_tags, lambda _template, _at_creation: None)  # type: ignore[assignment]
    urls.url_paths["{0}/"] = StrictEC2Response.dispatch
