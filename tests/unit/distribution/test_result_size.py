# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for a thousand accounts in twenty regions stays small: AWX drops large events."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils._verification.report import build_report
from ansible_collections.golden.images.plugins.plugin_utils._large_results import limit_result, read_whole

from tests.unit.distribution.examples import copied, copy, reported, shared
from tests.unit.result_size import ACCOUNTS, IMAGES, LARGEST, REGIONS, TARGETS
from tests.unit.verification.examples import seen

pytestmark = pytest.mark.exhaustive


def test_report_is_small() -> None:
    snapshots = {region: [f"snap-{number:016x}{region[-1]}" for number in range(2)] for region in REGIONS}
    shares = shared(
        *REGIONS,
        launch_permissions=[{"account_ids": ACCOUNTS, "regions": REGIONS}],
        volume_permissions=[{"account_ids": ACCOUNTS, "public": False, "snapshots": snapshots}],
    )
    report = reported(copied(*REGIONS), {}, shares, account_ids=ACCOUNTS, regions=REGIONS)
    assert report["status"] == "distributed"
    assert len(json.dumps(report)) < LARGEST


def test_report_with_copies_of_each_account_is_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    places = [{"account_id": target.account_id, "region": target.region} for target in TARGETS]
    images = IMAGES.values()
    copies = [copy(**place, image_id=image_id) for place, image_id in zip(places, images, strict=True)]
    published = [
        {**place, "image_id": image_id, "label": "source", "launch_templates": {}, "parameter": "/golden"}
        for place, image_id in zip(places, images, strict=True)
    ]
    rows = [seen(target.account_id, target.region, "authorized") for target in TARGETS]
    verified = build_report("authorized", REGIONS, ACCOUNTS, ({"failures": [], "results": rows}, {}), None)
    report = reported(
        copied(*REGIONS),
        {},
        shared(*REGIONS),
        consumer_copy_result={"failures": [], "results": copies},
        verify_result={"report": verified, "verified_regions": []},
        publish_result={"failures": [], "results": published},
    )
    short = limit_result({"failures": [], "report": report})
    assert len(json.dumps(short)) < LARGEST
    assert short["omitted"] == ["report.consumer_images", "report.published", "report.verified"]
    assert short["report"]["regions"] == report["regions"]
    assert read_whole(short)["report"] == report
