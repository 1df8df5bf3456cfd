# SPDX-License-Identifier: GPL-3.0-or-later

"""The tombstone of a recall: what it keeps, and what is no tombstone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef
from ansible_collections.golden.images.plugins.module_utils._recall.record import (
    LAUNCH_TEMPLATE,
    LONGEST_NAME,
    Record,
    find_record,
    name_object,
    render_record,
)

from tests.unit.examples import OWNER
from tests.unit.recall.examples import AWAY, BAD, GOOD, HOME, NOW, OTHER, SOURCE, pointer

REF = ImageRef(HOME, SOURCE)
RECORD = Record(OWNER, REF, NOW, (ImageRef(AWAY, BAD),), (pointer(), pointer(LAUNCH_TEMPLATE)))


def test_a_record_is_read_as_it_was_written() -> None:
    later = replace(RECORD, taken_back_at=NOW)
    texts = [render_record(RECORD), render_record(later)]
    assert find_record(texts[:1], REF) == RECORD
    assert find_record(texts, REF) == later
    assert find_record(texts, ImageRef(AWAY, SOURCE)) is None


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format": "recall"}', '{"image_id": "ami-1"}'])
def test_what_is_no_record_is_skipped(text: str) -> None:
    assert find_record([render_record(RECORD), text], REF) == RECORD
    # A killed run can leave a part of a line.
    assert find_record([render_record(RECORD)[:-20], text], REF) is None


def test_what_was_there_first_stays_in_the_record() -> None:
    again = pointer(before=(OTHER, 9), after=(GOOD, 10))
    images = [ImageRef(HOME, SOURCE)]
    record = RECORD.add(images, [again])
    assert record.by_key[again.key].before == (BAD, 2)
    assert record.by_key[again.key].after == (GOOD, 10)
    assert record.images == (ImageRef(AWAY, BAD), ImageRef(HOME, SOURCE))
    assert len(record.pointers) == 2
    assert record.add(images, []) == record


def test_the_object_is_named_after_the_source() -> None:
    assert name_object("", REF) == f"recall/{HOME}/{SOURCE}.json"
    assert name_object("a/b/", REF) == f"a/b/recall/{HOME}/{SOURCE}.json"
    assert len(LONGEST_NAME) >= len(name_object("", REF))
