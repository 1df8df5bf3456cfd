# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes of one image that two accounts are to launch in one region."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.launch_probe.state import (
    PROBE_TAG,
    Probe,
    ProbeSeen,
    ProbeWanted,
)
from ansible_collections.golden.images.plugins.module_utils.model import (
    Image,
    ImagesByTarget,
    Instance,
    Network,
    Target,
)

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, source_image

REGION = "eu-west-1"
SUBNET = "subnet-0123456789abcdef0"
NOW = datetime(2026, 11, 24, 12, 0, 0, 123, tzinfo=UTC)
HERE, THERE = Target(CONSUMER, REGION), Target(OWNER, REGION)
PROBE = Probe(HERE, SOURCE_ID)


def wanted(**changes: Any) -> ProbeWanted:
    """Both accounts, in a subnet that they share."""
    values: dict[str, Any] = {
        "images": ImagesByTarget({(None, REGION): SOURCE_ID}),
        "account_ids": (CONSUMER, OWNER),
        "network": Network({REGION: SUBNET}),
        **changes,
    }
    return ProbeWanted(**values)


def image(**changes: Any) -> Image:
    """The image for common processors."""
    return source_image(**{"architecture": "x86_64", **changes})


def seen(want: ProbeWanted, found: Image | None = None, **changes: Any) -> ProbeSeen:
    """Every account sees the image, and nothing is left over."""
    shown = found or image()
    images = {probe: shown for probe in want.probes() if probe.image_id}
    return ProbeSeen(**{"account_id": OWNER, "partition": "aws", "now": NOW, "images": images, **changes})


def instance(mark: str | None, image_id: str = SOURCE_ID, instance_id: str = "i-old") -> Instance:
    """An instance of an earlier probe, with this tag."""
    return Instance(instance_id, "running", image_id, {} if mark is None else {PROBE_TAG: mark})
