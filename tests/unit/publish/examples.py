# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples for the publish tests: what is wanted and seen, and a region with scripted answers."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.model import (
    ImagesByTarget,
    Target,
)
from ansible_collections.golden.images.plugins.module_utils.plan import TargetPlan
from ansible_collections.golden.images.plugins.module_utils.publish import state as facts
from ansible_collections.golden.images.plugins.module_utils.publish.flow import FLOW

from tests.unit.examples import CONSUMER, OWNER, target_in
from tests.unit.publish.account import NAME, NEW, OLD, REGION, SHARED, TEMPLATE_ID, image
from tests.unit.wire import Wire

ABROAD = Target(CONSUMER, REGION)
HISTORY = {"Name": NAME, "MaxResults": 50}
IMAGES = {
    "Filters": [{"Name": "image-id", "Values": [NEW]}],
    "IncludeDisabled": True,
    "IncludeDeprecated": True,
    "MaxResults": 1000,
}


def version(number: int = 1, value: str = OLD, *labels: str, **changes: Any) -> facts.ParameterVersion:
    """A version of the parameter."""
    return facts.ParameterVersion(number, value, labels=frozenset(labels), **changes)


def parameter(*versions: facts.ParameterVersion, **tags: str) -> facts.Parameter:
    """The parameter with these versions, by default one that names the old image."""
    return facts.Parameter(versions or (version(),), tags)


def template(
    image_id: str | None = OLD, latest: facts.TemplateVersion | None = None, **data: Any
) -> facts.LaunchTemplate:
    """A launch template whose default is version 1."""
    default = facts.TemplateVersion(1, {**({"ImageId": image_id} if image_id else {}), **data})
    return facts.LaunchTemplate(TEMPLATE_ID, default, latest or default)


def wanted(**changes: Any) -> facts.PublishWanted:
    """The new image in one region."""
    values = {"parameter": NAME, "images": ImagesByTarget({(None, REGION): NEW}), **changes}
    return facts.PublishWanted(**values)


def found(**changes: Any) -> facts.TargetSeen:
    """A region with the new image, shared, and without parameter and templates."""
    return facts.TargetSeen(**{"image_id": NEW, "image": image(), "launch": SHARED, **changes})


def seen(here: facts.TargetSeen, **changes: Any) -> facts.PublishSeen:
    """One region with this content."""
    return facts.PublishSeen(
        **{"account_id": OWNER, "partition": "aws", "targets": {target_in(): here}, **changes}
    )


def planned(want: facts.PublishWanted, here: facts.TargetSeen, **changes: Any) -> TargetPlan:
    """The plan of the only target."""
    (target,) = FLOW.plan(want, seen(here, **changes)).targets
    return target


def listed(number: int, **changes: Any) -> dict[str, Any]:
    """A version as GetParameterHistory returns it."""
    return {
        "Name": NAME,
        "Type": "String",
        "Value": f"ami-{number}",
        "Version": number,
        "DataType": "aws:ec2:image",
        "LastModifiedDate": datetime(2026, 11, 24, tzinfo=UTC),
        **changes,
    }


class Region:
    """The owner's clients of one region, with scripted answers."""

    def __init__(self, sts: Wire, ec2: Wire, ssm: Wire) -> None:
        self.ec2, self.ssm = ec2, ssm
        self._clients = SimpleNamespace(
            default_region=REGION,
            open=lambda _service, _regions: None,
            sts=lambda _region: sts.client,
            ec2=lambda _region: ec2.client,
            ssm=lambda _region: ssm.client,
        )

    def seen(self, **changes: Any) -> facts.PublishSeen:
        """What is seen in all targets."""
        return FLOW.read(self._clients, wanted(**changes))

    def target_seen(self, **changes: Any) -> facts.TargetSeen:
        """What is seen of the region."""
        return self.seen(**changes).targets[target_in(REGION)]

    def names(self, *values: str, labels: tuple[str, ...] = ()) -> None:
        """Expect a read of the parameter: its versions have these values, the first has the labels."""
        versions = [listed(number, Value=value) for number, value in enumerate(values, start=1)]
        if not versions:
            self.ssm.refuse("get_parameter_history", HISTORY, "ParameterNotFound")
            return
        versions[0].update({"Labels": list(labels)} if labels else {})
        self.ssm.expect("get_parameter_history", HISTORY, {"Parameters": versions})

    def has(self, asked: tuple[str, ...], *found: str, **changes: Any) -> None:
        """Expect a read of these images, and return those."""
        request = {
            "Filters": [{"Name": "image-id", "Values": sorted(asked)}],
            "IncludeDisabled": True,
            "IncludeDeprecated": True,
            "MaxResults": 1000,
        }
        images = [
            {"ImageId": one, "OwnerId": OWNER, "State": "available", "Architecture": "arm64", **changes}
            for one in found
        ]
        self.ec2.expect("describe_images", request, {"Images": images})

    def is_shared(self) -> None:
        """Expect a read of the image's launch permissions."""
        request = {"ImageId": NEW, "Attribute": "launchPermission"}
        self.ec2.expect("describe_image_attribute", request, {"LaunchPermissions": [{"UserId": CONSUMER}]})
