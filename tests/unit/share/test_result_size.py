# SPDX-License-Identifier: GPL-3.0-or-later

"""The result for a thousand accounts in twenty regions stays small: AWX drops large events."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.plugin_utils._large_results import limit_result

from tests.unit.result_size import ACCOUNTS, FAILURES, LARGEST, REGIONS, result_of, size_of
from tests.unit.share.examples import PRIVATE, AnImage, Run, aws_with, shared, wanted, with_accounts

pytestmark = pytest.mark.exhaustive

IMAGES = {region: f"ami-{number:017x}" for number, region in enumerate(REGIONS)}


def images(permissions: Sharing) -> dict[str, AnImage]:
    """The image of each region, with two snapshots."""
    return {
        region: shared(
            permissions,
            {f"snap-{number:01x}{image_id[5:]}": permissions for number in range(2)},
            image_id=image_id,
        )
        for region, image_id in IMAGES.items()
    }


@pytest.mark.parametrize(
    ("before", "options", "rejected"),
    [
        pytest.param(PRIVATE, {}, frozenset(), id="shared"),
        pytest.param(with_accounts(*ACCOUNTS), {}, frozenset(), id="shared already"),
        pytest.param(PRIVATE, {}, frozenset(ACCOUNTS[:1]), id="an account is rejected in each region"),
        pytest.param(with_accounts(*ACCOUNTS), {"state": "absent"}, frozenset(), id="unshared"),
    ],
)
def test_result_and_diff_are_small(
    before: Sharing, options: dict[str, Any], rejected: frozenset[str]
) -> None:
    aws = aws_with(images(before), rejected=rejected)
    done = Run(wanted(with_accounts(*ACCOUNTS), images=IMAGES, **options), aws)
    assert len(done.outcome.failures) == 3 * len(REGIONS) * len(rejected)
    assert size_of(done) < LARGEST


def test_failures_of_a_hundred_accounts_take_nothing_else_from_the_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    done = Run(wanted(with_accounts(*ACCOUNTS), images=IMAGES), aws_with(images(PRIVATE)))
    whole = {**result_of(done), "failures": FAILURES}
    short = limit_result(whole)
    assert len(json.dumps(short)) < LARGEST < len(json.dumps(whole))
    assert short["omitted"] == ["failures"]
    assert short["results"] == whole["results"]
    assert {failure["region"] for failure in short["failures"]} == {*REGIONS}


def test_each_account_is_listed_once() -> None:
    here, there = REGIONS[:2]
    first, second = ACCOUNTS[:2]
    found = images(PRIVATE)
    found[here].launch = with_accounts(second)
    aws = aws_with({region: found[region] for region in (here, there)})
    want = {region: IMAGES[region] for region in (here, there)}
    result = Run(wanted(with_accounts(first), images=want, share_snapshots=False), aws).result
    assert [(one["account_ids"], one["regions"]) for one in result["launch_permissions"]] == [
        ([first], [here, there]),
        ([second], [here]),
    ]
