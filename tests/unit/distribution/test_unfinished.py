# SPDX-License-Identifier: GPL-3.0-or-later

"""What a distribution that is not complete has left."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._distribution.unfinished import (
    describe_earlier,
    describe_started,
)

from tests.unit.distribution.examples import EU, US, copied, copy, reported, shared
from tests.unit.examples import CONSUMER, SOURCE_ID, SOURCE_REGION


def left(*copies: dict[str, Any], **steps: Any) -> dict[str, Any]:
    return reported(copied(results=list(copies)), {}, {}, **steps)


def test_every_copy_that_is_not_shared_is_named() -> None:
    source = copy(SOURCE_REGION, image_id=SOURCE_ID)
    text = describe_started(left(source, copy(EU, state="pending"), copy(US)))
    assert text == (
        f"Copied and not shared yet: ami-{EU} in {EU} (pending), ami-{US} in {US} (available). Rerun to "
        "complete the distribution: it continues with these copies."
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(copy(EU, image_id=None, state=None), id="no copy"),
        pytest.param(copy(EU, state="failed"), id="a rerun replaces it"),
        pytest.param(copy(EU, image_id=SOURCE_ID), id="the source"),
    ],
)
def test_what_a_rerun_does_not_continue_with_is_not_named(given: dict[str, Any]) -> None:
    assert describe_started(left(given)) == ""


def test_a_shared_copy_needs_no_rerun() -> None:
    assert describe_started(reported(copied(EU), {}, shared(EU))) == ""


def test_pending_copies_of_consumers_are_named() -> None:
    mine = [copy(EU, account_id=CONSUMER, state="pending"), copy(US, account_id=CONSUMER)]
    content = reported(copied(EU), {}, shared(EU), consumer_copy_result=copied(results=mine))
    assert f": ami-{EU} in {EU} of {CONSUMER} (pending). Rerun" in describe_started(content)


def test_earlier_images_are_said_to_be_that() -> None:
    content = left(copy(EU), copy(US))
    assert describe_earlier(content) == ""
    _eu, us = content["regions"]
    us["earlier"] = {
        "image_id": "ami-1",
        "source_image_id": "ami-2",
        "written_at": "2026-11-24T12:00:00+00:00",
    }
    assert describe_earlier(content) == f"Of earlier distributions: {US} has ami-1 (ami-2, 2026-11-24)."
    us["earlier"]["written_at"] = None
    assert describe_earlier(content) == f"Of earlier distributions: {US} has ami-1 (ami-2)."
