# SPDX-License-Identifier: GPL-3.0-or-later

"""A release, what names it in one target, and the units that are chosen of that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._model import Image, ImageRef, Target
from ansible_collections.golden.images.plugins.module_utils._publish.state import (
    LaunchTemplate,
    Parameter,
    ParameterVersion,
    TargetState,
    TemplateVersion,
)
from ansible_collections.golden.images.plugins.module_utils._recall.decide import choose_unit
from ansible_collections.golden.images.plugins.module_utils._recall.options import RecallOptions
from ansible_collections.golden.images.plugins.module_utils._recall.record import (
    LAUNCH_TEMPLATE,
    PARAMETER,
    Pointer,
    PointerKey,
    Position,
    Stored,
)
from ansible_collections.golden.images.plugins.module_utils._recall.state import (
    RecallState,
    Release,
    Unit,
    find_release,
)
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG, SOURCE_TAG

from tests.unit.examples import CONSUMER, OWNER, source_image

HOME, AWAY = "us-east-1", "eu-west-1"
SOURCE, BAD, GOOD, OLDER, OTHER = (f"ami-{number * 17}" for number in "12345")
NAME, TEMPLATE, TEMPLATE_ID = "/golden/web", "web", "lt-0123456789abcdef0"
NOW = "2026-12-01T23:40:05Z"
HERE, THERE = Target(OWNER, AWAY), Target(CONSUMER, AWAY)


def image(image_id: str, **tags: str) -> Image:
    """An image of the owner's with these tags; the names lack the prefix of the collection."""
    marks = {f"golden.images:{key}": text for key, text in tags.items()}
    return source_image(image_id=image_id, architecture="x86_64", tags=marks)


def copy(image_id: str, **changes: Any) -> Image:
    """An image that the consumer owns."""
    return source_image(image_id=image_id, architecture="x86_64", owner_id=CONSUMER, **changes)


IMAGES = {
    ImageRef(AWAY, BAD): image(BAD, source=f"{HOME}/{SOURCE}"),
    ImageRef(AWAY, OLDER): image(OLDER, recalled=NOW),
}
RELEASE = find_release(OWNER, ImageRef(HOME, SOURCE), image(SOURCE), IMAGES)
assert (SOURCE_TAG, RECALLED_TAG) == ("golden.images:source", "golden.images:recalled")


def parameter(*values: str, labels: dict[int, str] | None = None) -> Parameter:
    """A parameter with these values, oldest first; ``labels`` are sources by version."""
    return Parameter(
        tuple(
            ParameterVersion(
                number,
                value,
                labels=frozenset(f"source-{label}" for label in [(labels or {}).get(number)] if label),
            )
            for number, value in enumerate(values, start=1)
        )
    )


def template(*images: str, default: int | None = None) -> LaunchTemplate:
    """A launch template whose versions launch these images; the default one is the last one."""
    versions = [TemplateVersion(number, {"ImageId": name}) for number, name in enumerate(images, start=1)]
    return LaunchTemplate(TEMPLATE_ID, versions[(default or len(versions)) - 1], versions[-1])


def options(**given: Any) -> RecallOptions:
    """The options of a recall of the release."""
    return RecallOptions(
        **{
            "source_image_id": SOURCE,
            "source_region": HOME,
            "parameter": NAME,
            "launch_templates": (TEMPLATE,),
            "tombstone_path": "/recalls.jsonl",
            **given,
        }
    )


def unit_of(
    parameter: Parameter | None = None,
    template: LaunchTemplate | None = None,
    target: Target = HERE,
    recorded: tuple[Pointer, ...] = (),
    release: Release = RELEASE,
    image_id: str | None = None,
    images: tuple[Image, ...] = (),
    **given: Any,
) -> Unit:
    """The unit that is chosen for a target, which sees all images; ``image_id`` is the selected one.

    ``images`` are those that the account sees otherwise.
    """
    chosen = options(**given)
    publishing = replace(
        chosen.publishing(chosen.parameter, (target.region,), source_image_id=SOURCE),
        launch_templates=chosen.launch_templates,
        launch_template_base_version=chosen.launch_template_base_version,
    )
    state = TargetState(
        image_id=image_id,
        parameter=parameter,
        templates={TEMPLATE: template} if template else {},
        named={
            **{image_id: image(image_id) for image_id in (BAD, GOOD, OTHER)},
            **{item.image_id: item for item in images},
        },
    )
    known = {pointer.key: pointer for pointer in recorded}
    return choose_unit(chosen, publishing, release, target, state, known, OWNER)


def pointer(
    kind: str = PARAMETER, before: tuple[str, int] = (BAD, 2), after: tuple[str, int | None] = (GOOD, 3)
) -> Pointer:
    """A recorded pointer."""
    resource, name = (NAME, NAME) if kind == PARAMETER else (TEMPLATE_ID, TEMPLATE)
    latest = before[1] if kind == LAUNCH_TEMPLATE else None
    label = "" if latest else f"source-{SOURCE}"
    key = PointerKey(HERE, kind, resource)
    return Pointer(key, NAME, name, Position(*before), Position(*after), label, latest)


def state_of(*units: Unit, **changes: Any) -> RecallState:
    """The state of a recall of the release; ``record`` is the one that was found."""
    stored = Stored(changes.pop("record", None))
    return RecallState(OWNER, "aws", NOW, RELEASE, tuple(units), stored, **changes)
