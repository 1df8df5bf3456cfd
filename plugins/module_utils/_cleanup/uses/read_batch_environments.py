# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute environments of AWS Batch that launch images.

AWS Batch User Guide, "AMI selection order": the image of the environment, one for an image type, or that of a
launch template, which the template shows. Job definitions name containers and instance types only (botocore
shape JobDefinition).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._aws.answers import require_member
from .read import Place, Read, Source
from .users import User

_KIND = "batch_compute_environment"
# Environments that are never used again (botocore shape CEStatus). A disabled one can be enabled.
_ENDED = ("DELETING", "DELETED")


def _read_environments(place: Place) -> Iterator[User]:
    """Yield every compute environment that can launch instances, with the images that it names."""
    operation = "DescribeComputeEnvironments"
    # botocore shape DescribeComputeEnvironmentsRequest, maxResults: 1 to 100.
    pages = (
        place.client("batch")
        .get_paginator("describe_compute_environments")
        .paginate(PaginationConfig={"PageSize": 100})
    )
    for page in pages:
        for item in require_member(page, "computeEnvironments", operation):
            # One without a status can launch instances.
            if item.get("status") in _ENDED:
                continue
            resources = item.get("computeResources", {})
            overrides = (
                configuration.get("imageIdOverride", "")
                for configuration in resources.get("ec2Configuration", ())
            )
            images = (resources.get("imageId", ""), *overrides)
            yield User(_KIND, require_member(item, "computeEnvironmentName", operation), images)


SOURCE = Source(
    _KIND,
    "enabled or not, with its own image or one for an image type (`imageIdOverride`)",
    (Read(_read_environments, ("batch:DescribeComputeEnvironments",)),),
    only_of_owner=True,
    is_late=True,
)
