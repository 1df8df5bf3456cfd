# SPDX-License-Identifier: GPL-3.0-or-later

"""The tombstone of a recall: what it keeps, and what is no tombstone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing
from ansible_collections.golden.images.plugins.module_utils._recall.record import (
    LAUNCH_TEMPLATE,
    LONGEST_NAME,
    Access,
    Record,
    find_damaged,
    find_record,
    name_object,
    render_record,
)

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.recall.examples import AWAY, BAD, GOOD, HOME, NOW, OTHER, SOURCE, pointer

REF = ImageRef(HOME, SOURCE)
RECORD = Record(OWNER, REF, NOW, (ImageRef(AWAY, BAD),), (pointer(), pointer(LAUNCH_TEMPLATE)))


def test_a_record_is_read_as_it_was_written() -> None:
    taken = Access(ImageRef(AWAY, OTHER), CONSUMER, Sharing(frozenset({OWNER})), {}, True)
    later = replace(RECORD.add_blocked([taken]), taken_back_at=NOW)
    texts = [render_record(RECORD), render_record(later)]
    assert find_record(texts[:1], OWNER, REF) == RECORD
    assert find_record(texts, OWNER, REF) == later
    assert find_record(texts, OWNER, ImageRef(AWAY, SOURCE)) is None
    # Several accounts can have copies of the same source.
    assert find_record(texts, CONSUMER, REF) is None


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format": "recall"}', '{"image_id": "ami-1"}'])
def test_what_is_no_record_is_skipped(text: str) -> None:
    assert find_record([render_record(RECORD), text], OWNER, REF) == RECORD
    # A killed run can leave a part of a line.
    assert find_record([render_record(RECORD)[:-20], text], OWNER, REF) is None


def test_a_damaged_line_after_the_last_record_is_no_missing_record() -> None:
    line, other = render_record(RECORD), render_record(replace(RECORD, source=ImageRef(AWAY, GOOD)))
    assert find_damaged([line[:-3]], OWNER, REF) == 0
    assert find_damaged([line, other, line[:-3], "{}"], OWNER, REF) == 2
    # What a killed run has left is before the record of the next one.
    assert find_damaged([line[:-3], line, "", other[:20]], OWNER, REF) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("account_id", None), ("account_id", 123456789012), ("account_id", "12345"), ("disabled", "false")],
)
def test_a_record_with_an_image_of_no_account_is_damaged_and_not_skipped(name: str, value: Any) -> None:
    """The one before has not what was blocked since."""
    taken = Access(ImageRef(AWAY, OTHER), CONSUMER, disabled=True)
    given = json.loads(render_record(RECORD.add_blocked([taken])))
    (blocked,) = given["blocked"]
    without = {key: text for key, text in blocked.items() if key != name}
    for damaged in (without, {**blocked, name: value}):
        line = json.dumps({**given, "blocked": [damaged]})
        assert find_damaged([render_record(RECORD), line], OWNER, REF) == 1
        # That of another release, or of another account, is not looked at.
        assert find_damaged([line], OWNER, ImageRef(AWAY, SOURCE)) is None
        assert find_damaged([line], CONSUMER, REF) is None


def test_a_record_without_its_account_is_damaged() -> None:
    given = json.loads(render_record(RECORD))
    assert find_damaged([json.dumps({**given, "account_id": None})], OWNER, REF) == 0
    del given["account_id"]
    assert find_damaged([json.dumps(given)], OWNER, REF) == 0
    assert find_damaged([json.dumps({**given, "format": "cleanup"})], OWNER, REF) is None


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
    assert name_object("", OWNER, REF) == f"recall/{OWNER}/{HOME}/{SOURCE}.json"
    assert name_object("a/b/", OWNER, REF) == f"a/b/recall/{OWNER}/{HOME}/{SOURCE}.json"
    assert len(LONGEST_NAME) >= len(name_object("", OWNER, REF))
