# SPDX-License-Identifier: GPL-3.0-or-later

"""Tombstones are on the disk before anything goes, or nothing goes."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.golden.images.plugins.module_utils.flows.cleanup_tombstones import write_tombstones
from ansible_collections.golden.images.plugins.module_utils.planners.cleanup_plan import plan

from tests.unit.planners.retiring import facts, own, seen, wanted

SEEN = seen(facts(own("ami-1"), own("ami-2", 50), own("ami-new", 1)))
GOING = [one for one in plan(wanted(), SEEN).verdicts if one.decision == "deregister"]


def test_each_image_is_a_line_and_earlier_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "tombstones"
    assert write_tombstones(str(path), SEEN, GOING) == ()
    assert write_tombstones(str(path), SEEN, GOING[:1]) == ()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["image_id"] for line in lines] == ["ami-1", "ami-2", "ami-1"]


def test_a_file_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (failure,) = write_tombstones(str(tmp_path), SEEN, GOING)
    assert (failure.error_code, failure.action) == ("TombstoneNotWritten", "tombstone_path")


def test_where_nothing_goes_no_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "tombstones"
    assert write_tombstones(str(path), SEEN, []) == write_tombstones(None, SEEN, GOING) == ()
    assert not path.exists()
