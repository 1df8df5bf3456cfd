# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples for the tests of adoption: three releases of a family in two regions, and what accounts use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._adoption.options import AdoptionOptions
from ansible_collections.golden.images.plugins.module_utils._adoption.plan import AdoptionPlan, plan
from ansible_collections.golden.images.plugins.module_utils._adoption.releases import build_catalog
from ansible_collections.golden.images.plugins.module_utils._adoption.state import (
    AdoptionState,
    Catalog,
    ImageUse,
    Look,
    UsedImage,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.trace import Origins, trace
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnImage
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import Image, ImageRef, Target, Watermark

OWNER, CONSUMER, OTHER_CONSUMER = "111122223333", "012345678901", "444455556666"
EU, US = "eu-west-1", "us-east-1"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OF_AMAZON: Mapping[str, Any] = {"owner_id": "137112412989", "alias": "amazon"}
"""The values of an image that Amazon owns."""
WATERMARK = f"{OWNER}:golden-web"
OLD, MIDDLE, NEW = (ImageRef(EU, f"ami-0000000{number}") for number in (1, 2, 3))
OLD_US, NEW_US = (ImageRef(US, f"ami-0000001{number}") for number in (1, 3))


def ago(**time: float) -> datetime:
    """So long before now."""
    return NOW - timedelta(**time)


def own(image_id: str, days: float, source: ImageRef | None = None, **changes: Any) -> OwnImage:
    """An image of the family ``web``, made that many days ago."""
    beyond = {key: changes.pop(key) for key in ("base",) if key in changes}
    values: dict[str, Any] = {
        "image_id": image_id,
        "name": f"web-{image_id[-1]}",
        "owner_id": OWNER,
        "state": "available",
        "tags": {"family": "web"},
        "source_image_id": source and source.image_id,
        "source_region": source and source.region,
        **changes,
    }
    return OwnImage(Image(**values), ago(days=days), **beyond)


def three_releases(**changed: Mapping[str, Any]) -> dict[ImageRef, OwnImage]:
    """The releases of 90, 30 and 2 days ago; the first and the last are in both regions.

    ``changed`` are other values of images, by ``old``, ``middle`` or ``new``.
    """
    return {
        OLD: own(OLD.image_id, 90, **changed.get("old", {})),
        OLD_US: own(OLD_US.image_id, 89, OLD, **changed.get("old", {})),
        MIDDLE: own(MIDDLE.image_id, 30, **changed.get("middle", {})),
        NEW: own(NEW.image_id, 2, **changed.get("new", {})),
        NEW_US: own(NEW_US.image_id, 1, NEW, **changed.get("new", {})),
    }


def options(**given: Any) -> AdoptionOptions:
    """The options for the family ``web`` by its tag, unless others are given."""
    return AdoptionOptions(**{"family_tag": "family", "account_ids": (CONSUMER,), **given})


def catalog(
    images: Mapping[ImageRef, OwnImage] | None = None, foreign: Collection[ImageRef] = (), **given: Any
) -> Catalog:
    """The releases in these images; ``foreign`` are sources of them that other accounts own."""
    chosen = three_releases() if images is None else images
    wanted = options(**given)
    return build_catalog(OWNER, chosen, wanted.forms_families, NOW, foreign, wanted.deny_images)


def used(ref: ImageRef, kind: str = "instance", number: int = 1, **image: Any) -> ImageUse:
    """So many uses of an image of the owner, unless the image has other values."""
    names = tuple(f"i-{ref.image_id[-2:]}{serial}" for serial in range(number))
    return ImageUse(kind, UsedImage(ref, **{"owner_id": OWNER, "state": "available", **image}), number, names)


def state(
    *uses: ImageUse,
    images: Mapping[ImageRef, OwnImage] | None = None,
    origins: Origins | None = None,
    others: Mapping[Target, Look] | None = None,
    unread: Mapping[Target, Failure] | None = None,
    **given: Any,
) -> AdoptionState:
    """One account that uses these images, each in the region of its image."""
    released, families = catalog(images, **given), options(**given).forms_families
    looks = {Target(CONSUMER, region): Look() for region in (EU, US)}
    for use in uses:
        target = Target(CONSUMER, use.image.ref.region)
        found = trace(use, CONSUMER, released, origins or {}, families)
        looks[target] = Look((*looks[target].uses, found))
    return AdoptionState(NOW, released, {**looks, **(others or {})}, unread or {})


def planned(current: AdoptionState, **given: Any) -> AdoptionPlan:
    """The plan for what accounts use."""
    return plan(options(**given), current)


def marked(ref: ImageRef, key: str = WATERMARK, days: float = 2) -> Watermark:
    """The watermark that was attached to an image on its creation."""
    return Watermark(key, ref.region, ago(days=days), ago(days=days), ref.image_id)


def refused(account_id: str, region: str | None, action: str = "DescribeInstanceImageMetadata") -> Failure:
    """AWS's refusal of a read in an account."""
    return Failure(
        "You are not authorized.",
        f"Allow ec2:{action}.",
        "UnauthorizedOperation",
        action,
        region,
        account_id,
        "r-1",
        "aws",
    )
