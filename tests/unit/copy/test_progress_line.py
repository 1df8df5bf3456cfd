# SPDX-License-Identifier: GPL-3.0-or-later

"""What is displayed of copies that are waited for."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy.progress_line import progress_line
from ansible_collections.golden.images.plugins.module_utils._copy.run import CopyRun
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import Target

from tests.unit.examples import CONSUMER, OWNER, copied_image, target_in, volumes

EU = "eu-west-1"
PENDING = copied_image("ami-1", "pending")
READY = copied_image("ami-1", devices=volumes("snap-1"))
FAILURE = Failure("m", "r", "c", "a")


def test_progress_of_one_account() -> None:
    runs = {
        target_in(EU): CopyRun(PENDING, percent=40),
        target_in("us-west-2"): CopyRun(PENDING),
        target_in("sa-east-1"): CopyRun(PENDING, failure=FAILURE),
        target_in("us-east-1"): CopyRun(READY, percent=98),
    }
    assert progress_line(runs, list(runs)) == (
        "us-west-2 pending  eu-west-1 40 %  sa-east-1 failed  us-east-1 available"
    )
    assert progress_line(runs, [target_in("us-west-2")]) == "us-west-2 pending"


def test_progress_of_several_accounts_is_summed_up_by_region() -> None:
    runs = {
        Target(OWNER, EU): CopyRun(PENDING, percent=40),
        Target(CONSUMER, EU): CopyRun(PENDING, percent=20),
        Target(OWNER, "us-west-2"): CopyRun(READY, percent=10),
        Target(CONSUMER, "us-west-2"): CopyRun(PENDING),
    }
    assert progress_line(runs, list(runs)) == "us-west-2 1 of 2  eu-west-1 0 of 2 (slowest 20 %)"


def test_a_line_of_many_regions_has_the_slowest_and_the_time_left() -> None:
    runs = {target_in(f"eu-region-{number}"): CopyRun(PENDING, percent=90 - number) for number in range(20)}
    line = progress_line(runs, list(runs), 200)
    assert line == "eu-region-19 71 %  eu-region-18 72 %  + 18 more  about 3 min left"
    assert len(line) < 76


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4, "about 10 s left"), (42, "about 40 s left"), (90, "about 2 min left"), (7200, "about 120 min left")],
)
def test_the_time_left_in_words(seconds: float, text: str) -> None:
    assert progress_line({target_in(EU): CopyRun(PENDING)}, [target_in(EU)], seconds).endswith(
        f"pending  {text}"
    )
