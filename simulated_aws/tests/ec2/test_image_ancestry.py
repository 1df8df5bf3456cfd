# SPDX-License-Identifier: GPL-3.0-or-later
"""GetImageAncestry (EC2 User Guide, AMI ancestry)."""

from __future__ import annotations

from typing import Any

from .conftest import STRANGER, build, error_code, image_id


def test_the_line_of_copies_goes_back_through_regions(client: Any) -> None:
    first = image_id(build())
    west = client(region="us-west-2")
    second = west.copy_image(Name="second", SourceImageId=first, SourceRegion="us-east-1")["ImageId"]
    third = west.copy_image(Name="third", SourceImageId=second, SourceRegion="us-west-2")["ImageId"]
    entries = west.get_image_ancestry(ImageId=third)["ImageAncestryEntries"]
    line = [(one["ImageId"], one.get("SourceImageId"), one.get("SourceImageRegion")) for one in entries]
    assert line == [(third, second, "us-west-2"), (second, first, "us-east-1"), (first, None, None)]
    assert all(one["CreationDate"] for one in entries)


def test_it_ends_at_a_deregistered_image(client: Any) -> None:
    first = image_id(build())
    copy = client().copy_image(Name="copy", SourceImageId=first, SourceRegion="us-east-1")["ImageId"]
    client().deregister_image(ImageId=first)
    (entry,) = client().get_image_ancestry(ImageId=copy)["ImageAncestryEntries"]
    assert entry["SourceImageId"] == first


def test_an_image_that_cannot_be_seen_has_none(client: Any) -> None:
    assert (
        error_code(client(STRANGER).get_image_ancestry, ImageId=image_id(build())) == "InvalidAMIID.NotFound"
    )
