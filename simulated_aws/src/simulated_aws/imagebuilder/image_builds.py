# SPDX-License-Identifier: GPL-3.0-or-later
"""ListImageBuildVersions: the images that Image Builder built, which only fixtures create.

Image Builder tags each AMI that it distributes (Image Builder User Guide, "Manage AMI distribution
configurations"), and AWS's managed policy EC2ImageBuilderLifecycleExecutionPolicy allows lifecycle actions on
AMIs with the tag CreatedBy only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ec2 import state
from ..ec2.access import Caller
from ..ec2.state import Image, ImageBuild
from .errors import not_valid
from .names import NAME, VERSION, arn_of
from .pagination import page

ARN_TAG, CREATED_BY = "Ec2ImageBuilderArn", {"CreatedBy": "EC2 Image Builder"}
FILTERS = ("name", "osVersion", "platform", "type", "version")
"""(botocore shape ListImageBuildVersionsRequest.)"""


def add_output(builder: Caller, name: str, version: str, tags: Mapping[str, str], image: Image) -> None:
    """Make an AMI an output of a build, which is created if it does not exist, and tag the AMI.

    `version` includes the build, as in `1.0.0/1`, and `tags` are those of the new build.

    Raises:
        ImageBuilderError: an invalid name or version.
    """
    semantic, _, number = version.partition("/")
    if not NAME.fullmatch(name) or not VERSION.fullmatch(semantic) or not number.isdigit():
        raise not_valid(f"{name} {version} is not a valid name and version")
    arn = arn_of(builder, "image", name, version)
    builds = state.account_region(*builder).image_builds
    build = builds.setdefault(arn, ImageBuild(arn, name, version, state.now(), dict(tags)))
    build.images.append(image)
    image.tags.update(CREATED_BY, **{ARN_TAG: arn})


def list_image_build_versions(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Every build of the account, or those of one image version, with their AMIs in all accounts."""
    for one in params.get("filters", []):
        if one["name"] not in FILTERS:
            raise not_valid(f"The filter {one['name']} is not valid")
        raise NotImplementedError("filters of ListImageBuildVersions")
    builds = state.account_region(*caller).image_builds.values()
    of_version = params.get("imageVersionArn")
    found = [_summary(one) for one in builds if of_version in (None, one.arn.rpartition("/")[0])]
    return page("imageSummaryList", found, params)


def _summary(build: ImageBuild) -> dict[str, Any]:
    amis = [
        {"region": one.region, "image": one.id, "name": one.name, "accountId": one.owner_id}
        for one in build.images
    ]
    return {
        "arn": build.arn,
        "name": build.name,
        "type": "AMI",
        "version": build.version,
        "state": {"status": "AVAILABLE"},
        "dateCreated": build.created.isoformat(),
        "outputResources": {"amis": amis},
        "tags": build.tags,
    }
