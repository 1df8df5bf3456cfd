# SPDX-License-Identifier: GPL-3.0-or-later
"""The Recycle Bin of an account without retention rules."""

from __future__ import annotations

from typing import Any

from .conftest import build, image_id


def test_without_a_rule_a_deregistered_image_is_not_kept(client: Any) -> None:
    """(botocore operation DeregisterImage.)"""
    client().deregister_image(ImageId=image_id(build()))
    assert client().list_images_in_recycle_bin()["Images"] == []
