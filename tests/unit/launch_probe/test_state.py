# SPDX-License-Identifier: GPL-3.0-or-later

"""Which account launches which images."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.model import ImagesByTarget, Target

from tests.unit.examples import CONSUMER, OWNER, STRANGER

from .examples import REGION, wanted


def test_an_account_launches_its_own_image_in_a_region_else_those_of_other_accounts() -> None:
    images = ImagesByTarget(
        {(CONSUMER, REGION): "ami-1", (STRANGER, REGION): "ami-2", (OWNER, "us-east-1"): "ami-1"}
    )
    probes = wanted(images=images).probes()
    assert [(probe.target, probe.image_id) for probe in probes] == [
        (Target(CONSUMER, REGION), "ami-1"),
        (Target(CONSUMER, "us-east-1"), "ami-1"),
        (Target(OWNER, REGION), "ami-2"),
        (Target(OWNER, "us-east-1"), "ami-1"),
    ]
