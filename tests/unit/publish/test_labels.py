# SPDX-License-Identifier: GPL-3.0-or-later

"""The labels by which a rollback finds an image."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Image
from ansible_collections.golden.images.plugins.module_utils.publish.state import common_labels
from ansible_collections.golden.images.plugins.module_utils.tags import SOURCE_TAG

from tests.unit.publish.account import image


@pytest.mark.parametrize(
    ("sources", "labels"),
    [
        pytest.param({"ami-1": None, "ami-2": "ami-1"}, {"ami-1": "ami-1", "ami-2": "ami-1"}, id="original"),
        pytest.param({"ami-1": "ami-0"}, {"ami-1": "ami-0"}, id="copy"),
        pytest.param(
            {"ami-1": "ami-0", "ami-2": "ami-1", "ami-3": "ami-1"},
            dict.fromkeys(["ami-1", "ami-2", "ami-3"], "ami-1"),
            id="promoted",
        ),
        pytest.param(
            {"ami-3": "ami-2", "ami-2": "ami-1", "ami-1": "ami-0"},
            dict.fromkeys(["ami-3", "ami-2", "ami-1"], "ami-1"),
            id="copies of copies",
        ),
        pytest.param(
            {"ami-1": "ami-0", "ami-2": "ami-0"}, {"ami-1": "ami-0", "ami-2": "ami-0"}, id="source elsewhere"
        ),
        pytest.param({"ami-1": "ami-2", "ami-2": "ami-1"}, {"ami-1": "ami-1", "ami-2": "ami-2"}, id="circle"),
        pytest.param(
            {"ami-1": "ami-0", "ami-2": "ami-0", "ami-1-own": "ami-1", "ami-2-own": "ami-2"},
            dict.fromkeys(["ami-1", "ami-2", "ami-1-own", "ami-2-own"], "ami-0"),
            id="accounts' own copies",
        ),
        pytest.param(
            {"ami-1": "ami-0", "ami-2": "ami-1", "ami-2-own": "ami-2"},
            dict.fromkeys(["ami-1", "ami-2", "ami-2-own"], "ami-1"),
            id="accounts' own copies of a promoted one",
        ),
    ],
)
@pytest.mark.parametrize("by_tag", [True, False], ids=["tag", "AWS"])
def test_images_that_are_published_together_have_the_label_of_their_common_source(
    sources: dict[str, str | None], labels: dict[str, str], by_tag: bool
) -> None:
    def view(image_id: str, source: str | None) -> Image:
        if by_tag:
            return image(image_id, tags={SOURCE_TAG: f"us-east-1/{source}"} if source else {})
        return image(image_id, tags={}, source_image_id=source)

    views = {image_id: [view(image_id, source)] for image_id, source in sources.items()}
    # An account copies the image of its region.
    regions = {image_id: image_id.removesuffix("-own") for image_id in views}
    assert common_labels(views, regions) == {
        image_id: f"source-{source}" for image_id, source in labels.items()
    }
