# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of publishing share: short ways to say what is wanted and seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.model import (
    Image,
    ImagesByTarget,
    Sharing,
    Target,
)
from ansible_collections.golden.images.plugins.module_utils.plan import TargetPlan
from ansible_collections.golden.images.plugins.module_utils.publish import plan as publish
from ansible_collections.golden.images.plugins.module_utils.publish import state as facts

from tests.unit.examples import CONSUMER, MARK, OWNER, SOURCE_ID, place, source_image

REGION = "eu-west-1"
NEW, OLD = "ami-0000000000000000a", "ami-0000000000000000b"
NAME, TEMPLATE, TEMPLATE_ID = "/golden/web", "web", "lt-1"
LABEL = f"source-{SOURCE_ID}"
SHARED = Sharing(account_ids=frozenset({CONSUMER}))
ABROAD = Target(CONSUMER, REGION)


def image(image_id: str = NEW, **changes: Any) -> Image:
    """A copy of the source that its owner sees."""
    return source_image(**{"image_id": image_id, "architecture": "x86_64", "tags": MARK, **changes})


def version(number: int = 1, value: str = OLD, *labels: str, **changes: Any) -> facts.ParameterVersion:
    """A version of the parameter."""
    return facts.ParameterVersion(number, value, labels=frozenset(labels), **changes)


def parameter(*versions: facts.ParameterVersion, **tags: str) -> facts.Parameter:
    """The parameter with these versions, by default one that names the old image."""
    return facts.Parameter(versions or (version(),), tags)


def many(*labels: str) -> facts.Parameter:
    """A parameter with as many versions as AWS keeps, the oldest of which has these labels."""
    return parameter(version(3, OLD, *labels), *(version(number) for number in range(4, 103)))


def template(
    image_id: str | None = OLD, latest: facts.TemplateVersion | None = None, **data: Any
) -> facts.LaunchTemplate:
    """A launch template whose default is version 1."""
    default = facts.TemplateVersion(1, {**({"ImageId": image_id} if image_id else {}), **data})
    return facts.LaunchTemplate(TEMPLATE_ID, default, latest or default)


def wanted(**changes: Any) -> facts.PublishWanted:
    """To publish the new image in the one region."""
    values = {"parameter": NAME, "images": ImagesByTarget({(None, REGION): NEW}), **changes}
    return facts.PublishWanted(**values)


def found(**changes: Any) -> facts.Place:
    """That the one region has the new image, shared, and neither parameter nor templates."""
    return facts.Place(**{"image_id": NEW, "image": image(), "launch": SHARED, **changes})


def seen(here: facts.Place, **changes: Any) -> facts.PublishSeen:
    """That the one region looks so."""
    return facts.PublishSeen(
        **{"account_id": OWNER, "partition": "aws", "places": {place(): here}, **changes}
    )


def planned(want: facts.PublishWanted, here: facts.Place, **changes: Any) -> TargetPlan:
    """The plan of the only target."""
    (target,) = publish.plan(want, seen(here, **changes)).targets
    return target


def operations(target: TargetPlan) -> list[str]:
    """The names of the planned calls."""
    return [action.operation for action in target.actions]


def codes(targets: Iterable[TargetPlan]) -> list[str]:
    """Why the plan is refused."""
    return [refusal.error_code for target in targets for refusal in target.refusals]
