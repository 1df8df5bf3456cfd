# SPDX-License-Identifier: GPL-3.0-or-later

"""What is derived from what AWS reports, without any decision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    Evidence,
    unproven,
    unread,
    unreadable,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef

from tests.unit.cleanup.examples import REGION, USED, own, region_state, seen
from tests.unit.examples import target_in, volumes

ELSEWHERE = "us-east-1"
OLD, SECOND = own("ami-1"), own("ami-2", devices=volumes("snap-ami-1", "snap-2"))


def test_only_a_whole_reference_to_a_source_makes_an_image_a_copy() -> None:
    copy = own(source_image_id="ami-9", source_region=ELSEWHERE)
    assert copy.source == ImageRef(ELSEWHERE, "ami-9")
    assert own().source is own(source_image_id="ami-9").source is None


def test_the_size_of_an_image_is_that_of_the_volumes_with_a_snapshot() -> None:
    mappings = [
        {"DeviceName": "/dev/sda", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 8}},
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 500}},
        {"DeviceName": "/dev/sdc", "VirtualName": "ephemeral0"},
    ]
    image = replace(own(), described={"BlockDeviceMappings": mappings})
    assert (image.snapshot_sizes, image.size_gib) == ({"snap-1": 8}, 8)


def test_what_could_not_be_read_is_evidence_that_proves_nothing() -> None:
    found = unreadable("DescribeInstances", "denied")
    assert (found.firm, USED.firm) == (False, True)
    assert found.as_result() == {"detail": "denied", "kind": "unreadable", "subject": "DescribeInstances"}
    assert found.seen_in(ELSEWHERE) == unreadable("DescribeInstances", "denied in us-east-1")
    assert Evidence("launch_template", "lt-1").label == "launch template lt-1"
    assert Evidence("parameter", "/web").seen_in(ELSEWHERE).detail == "in us-east-1"


def test_a_failed_read_is_evidence_with_its_reason_and_remedy() -> None:
    found = unread(Failure("No.", "Allow it.", "UnauthorizedOperation", "DescribeFleets"))
    assert found == unreadable("DescribeFleets", "UnauthorizedOperation: No.")
    assert found.remedy == "Allow it."


def test_a_use_that_nothing_rules_out_is_none_that_could_not_be_read() -> None:
    found = unproven("usage report", "It lacks a type.")
    assert (found.kind, found.firm, found.detail) == ("unproven", False, "It lacks a type.")


def test_a_snapshot_can_be_part_of_several_images() -> None:
    state = region_state(OLD, SECOND)
    assert state.images_with == {"snap-ami-1": ("ami-1", "ami-2"), "snap-2": ("ami-2",)}


def test_all_images_are_known_by_region() -> None:
    saw = seen(region_state(OLD), region_state(OLD, SECOND))
    assert list(saw.images) == [
        ImageRef(REGION, "ami-1"),
        ImageRef(ELSEWHERE, "ami-1"),
        ImageRef(ELSEWHERE, "ami-2"),
    ]
    assert saw.image_ids == {"ami-1", "ami-2"}
    assert saw.target(REGION) == target_in(REGION)


def test_a_use_in_a_region_without_such_an_image_is_one_of_the_image_elsewhere() -> None:
    uses = {"ami-1": (USED,), "ami-2": (USED,)}
    saw = seen(region_state(OLD), region_state(SECOND, uses=uses))
    assert saw.named_elsewhere == {"ami-1": (USED.seen_in(ELSEWHERE),)}


@pytest.mark.parametrize(
    ("action", "counts_elsewhere"),
    [
        ("DescribeParameters", True),
        ("GetParameters", True),
        ("GetParameterHistory", True),
        ("GetParameter", False),
        ("DescribeImages", False),
    ],
)
def test_only_parameters_that_could_not_be_read_may_use_images_of_other_regions(
    action: str, counts_elsewhere: bool
) -> None:
    unread = unreadable(action, "denied")
    saw = seen(region_state(OLD), region_state(unread=(unread,)))
    assert saw.unread_of(ELSEWHERE) == (unread,)
    assert saw.unread_of(REGION) == ((unread.seen_in(ELSEWHERE),) if counts_elsewhere else ())
