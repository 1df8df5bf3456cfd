# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables, sentences and failures in lines of 80 columns, and the size of artifacts."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, summary
from ansible_collections.golden.images.plugins.module_utils._listing import count
from ansible_collections.golden.images.plugins.module_utils._reports.document import Column
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    OUTPUT,
    WIDTH,
    Line,
    Row,
    Screen,
    Tone,
    collapse_rows,
    count_columns,
    count_consumers,
    format_changes,
    format_duration,
    format_failure_message,
    format_failures,
    format_omitted,
    format_report_path,
    format_table,
    format_unwritten_report,
    has_no_change,
    join_counts,
    join_messages,
    limit_artifacts,
    list_failed_regions,
    list_failed_rows,
    name_outcome,
    name_principal,
    name_resource,
    name_status,
    read_module_message,
    to_one_line,
    wrap_text,
)

from tests.unit.hostile import TEXTS

COLUMNS = (Column("region", "region"), Column("image", "image"), Column("size", "GiB", numeric=True))


def texts(lines: Any) -> list[str]:
    return [line.text for line in lines]


def failure(message: str = "No.", remedy: str = "Ask.", **more: Any) -> dict[str, Any]:
    return {"message": message, "remedy": remedy, "region": "eu-west-1", **more}


def test_a_table_is_as_wide_as_its_texts() -> None:
    rows = [Row({"region": "us-east-1", "image": "ami-1", "size": 8}), Row({"region": "x", "size": 100})]
    assert texts(format_table(COLUMNS, rows)) == [
        "region     image  GiB",
        "us-east-1  ami-1    8",
        "x                 100",
    ]


def test_a_column_without_texts_is_left_out_and_a_row_keeps_its_tone() -> None:
    lines = list(format_table(COLUMNS, [Row({"region": "eu-west-1", "image": None, "size": ""}, Tone.BAD)]))
    assert lines == [Line("region"), Line("eu-west-1", Tone.BAD)]


def test_a_table_without_texts_has_no_lines() -> None:
    assert list(format_table(COLUMNS, [])) == []
    assert list(format_table(COLUMNS, [Row({"region": ""})])) == []


def test_spaces_are_shortened_before_texts() -> None:
    columns = [Column(str(number), "t") for number in range(8)]
    lines = texts(format_table(columns, [Row({column.key: "x" * 9 for column in columns})]))
    assert lines[1] == " ".join(["x" * 9] * 8)


def test_the_widest_texts_have_several_lines() -> None:
    image = "ami-" + "0" * 120
    rows = [Row({"region": "eu-west-1", "image": image, "size": 8}), Row({"region": "x", "image": "y"})]
    _titles, *lines = texts(format_table(COLUMNS, rows))
    assert all(count_columns(line) <= WIDTH for line in lines)
    assert lines[0].startswith("eu-west-1 ami-000")
    assert lines[0].endswith("0   8")
    assert lines[1].startswith("          000")
    assert "".join(line.removeprefix("eu-west-1").removesuffix(" 8").strip() for line in lines[:2]) == image
    assert lines[2] == "x         y"


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_fits_into_a_line_and_cannot_control_the_terminal(text: str) -> None:
    rows = [Row({"region": text, "image": text})]
    lines = [
        *format_table(COLUMNS, rows),
        *wrap_text(f"{text} {text}"),
        *format_failures([failure(text)], text),
        *format_report_path(text),
    ]
    for line in lines:
        assert count_columns(line.text) <= WIDTH
        controls = {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not [c for c in line.text if unicodedata.category(c) in controls and c not in "\u200c\u200d"]


def test_ids_are_broken_last() -> None:
    image, text = "ami-0123456789abcdef0", "x" * 60
    _titles, line, more = texts(
        format_table((*COLUMNS, Column("text", "text")), [Row({"image": image, "text": text})])
    )
    assert line == f"{image} {'x' * 58}"
    assert more.strip() == "xx"


def test_codes_stay_whole_where_an_id_has_to_be_broken() -> None:
    cells = {
        "severity": "medium",
        "finding": "missing_key_access",
        "count": "1",
        "principal": "555555555555",
        "region": "us-east-1",
        "resource": "key c4b5e6d2-0e15-4b9d-b5d6-31181ebd4e7f",
    }
    assert texts(format_table([Column(key, key) for key in cells], [Row(cells)])) == [
        "severity finding            count principal    region    resource",
        "medium   missing_key_access 1     555555555555 us-east-1 key",
        "                                                         c4b5e6d2-0e15-4b9d-",
        "                                                         b5d6-31181ebd4e7f",
    ]


def test_the_id_of_a_key_is_broken_before_that_of_an_image() -> None:
    rows = [
        {"region": "us-east-1", "resource": "ami-015c9ecd4a86a424b", "principal": "public"},
        {
            "region": "ap-southeast-2",
            "resource": "e75b9e1a-a12d-4eda-abaf-d1105f51c0e8",
            "principal": "600000000006",
            "outcome": "planned",
            "findings": "grant_without_share, statement_without_share",
        },
    ]
    columns = [Column(key, key) for key in rows[1]]
    found = texts(format_table(columns, [Row(cells) for cells in rows]))
    assert found[1].split() == ["us-east-1", "ami-015c9ecd4a86a424b", "public"]
    assert found[2].startswith("ap-southeast-2 ")
    assert max(map(len, found)) <= 80


def test_a_sentence_is_wrapped() -> None:
    words = " ".join(["word"] * 60)
    lines = list(wrap_text(words, Tone.WARNING))
    assert {line.tone for line in lines} == {Tone.WARNING}
    assert lines[1].text.startswith("  word")
    assert " ".join(line.text.strip() for line in lines) == words
    assert all(count_columns(line.text) <= WIDTH for line in lines)


def test_ids_stay_whole_if_they_fit_into_a_line() -> None:
    key = "arn:aws:kms:eu-west-1:111111111111:key/2323d1d4-1755-44d3-a2cf-f4df33951962"
    assert texts(wrap_text(f"- The account may not use {key}."))[1] == f"  {key}."


def test_the_same_failure_in_several_regions_is_shown_once() -> None:
    found = [failure(region=region) for region in ("eu-west-1", "us-east-1")]
    assert texts(format_failures(found, OUTPUT)) == ["- eu-west-1, us-east-1: No. Ask."]


def test_at_most_five_failures_are_shown() -> None:
    lines = texts(format_failures([failure(f"No {number}") for number in range(8)], "report.json"))
    assert lines[0] == "- eu-west-1: No 0. Ask."
    assert lines[5:] == ["  3 more in report.json."]


def test_failures_that_a_message_has_are_marked() -> None:
    regions = ("eu-west-1", "us-east-1")
    found = [*(failure(f"In {one}: no", region=one) for one in regions), failure("New")]
    lines = list(
        format_failures(
            found, OUTPUT, "2 problems:\n- eu-west-1: In eu-west-1: no.\n  Ask. The same in us-east-1."
        )
    )
    assert [line.tone for line in lines] == [Tone.FAILURE, Tone.BAD]
    assert {line.tone for line in format_failures(found, OUTPUT)} == {Tone.BAD}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(8, "8s"), (59, "59s"), (60, "1m"), (421, "7m"), (3599, "1h 00m"), (3900, "1h 05m")],
)
def test_durations(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text


def test_several_messages_in_one() -> None:
    assert join_messages(["", "No.", "", "Neither."]) == "No.\nNeither."
    assert join_messages([]) == ""


def test_the_message_of_a_module() -> None:
    assert read_module_message({"failed": True, "msg": "No."}) == "No."
    assert read_module_message({"results": []}) == ""
    failed = {"msg": summary(Failure(f"{number} is bad.", "", "bad", "x") for number in range(9))}
    assert read_module_message(failed) == failed["msg"]
    assert read_module_message(failed, "the fact x").endswith("- 4 is bad.\n4 more in the fact x.")


def test_a_failure_without_region_message_or_remedy() -> None:
    assert texts(format_failures([failure("No", "", region=None)], OUTPUT)) == ["- No."]
    assert texts(format_failures([failure("", "Ask.", region=None)], OUTPUT)) == ["- Ask."]


def test_the_report_is_named_in_one_line_if_that_fits() -> None:
    assert texts(format_report_path("a.json")) == ["Report: a.json"]
    assert texts(format_report_path(None)) == []
    long = "/" + "x" * 100
    assert "".join(texts(format_report_path(long))) == f"Report:{long}"


def test_a_report_that_is_not_written_is_said_to_be_so() -> None:
    assert texts(format_unwritten_report("a.json")) == ["Report (not in check mode): a.json"]
    assert texts(format_unwritten_report(None)) == []


def test_large_artifacts_leave_out_their_largest_values() -> None:
    given = {"images": {"a": "b"}, "copies": "x" * 900, "status": "done"}
    assert limit_artifacts(given) == given
    assert texts(format_omitted(given)) == []
    small = limit_artifacts(given, 200)
    assert texts(format_omitted(small)) == ["Too large to pass to the next job: copies."]
    assert small == {"images": {"a": "b"}, "status": "done", "omitted": ["copies"]}
    assert len(json.dumps(small)) <= 200


def test_words() -> None:
    assert (count(1, "launch"), count(2, "launch")) == ("1 launch", "2 launches")
    assert (count(1, "region"), count(2, "region"), count(1200, "image")) == (
        "1 region",
        "2 regions",
        "1,200 images",
    )
    assert join_counts([(1, "account"), (0, "organizational unit")]) == "1 account"
    assert join_counts([(2, "account"), (1, "organization"), (3, "organizational unit")]) == (
        "2 accounts, 1 organization and 3 organizational units"
    )
    assert join_counts([]) == ""


def test_whom_an_image_is_shared_with() -> None:
    permissions = {"account_ids": ["1", "2"], "org_arns": [], "org_unit_arns": ["u"], "public": False}
    assert count_consumers(permissions) == "2 accounts and 1 OU"
    assert count_consumers({}) == count_consumers({"account_ids": None}) == "no account"


def test_columns() -> None:
    assert count_columns("abc") == 3
    assert count_columns("\u65e5\u672c") == 4
    assert count_columns("e\u0301") == 1
    assert to_one_line("a\n b\x1b") == "a b\u27e8U+001B\u27e9"


def test_a_screen_is_one_text() -> None:
    assert Screen((Line("a"), Line("b", Tone.BAD))).text == "a\nb"


@pytest.mark.parametrize("number", [1, 20, 100])
def test_rows_without_a_problem_are_one_if_there_are_many(number: int) -> None:
    good = [Row({"region": f"r-{one}", "image": f"ami-{one}", "outcome": "changed"}) for one in range(number)]
    rows = list(collapse_rows([], good))
    if number <= 20:
        assert rows == good
    else:
        assert rows == [Row({"region": "100 regions", "image": "100 images", "outcome": "changed"})]


@pytest.mark.parametrize(
    ("images", "cells"),
    [
        pytest.param({"us-1": "ami-1"}, ("us-1", "24 accounts", "ami-1"), id="one image"),
        pytest.param({"us-1": "ami-1", "eu-1": "ami-2"}, ("2 regions", "24 accounts", "2 images"), id="two"),
        pytest.param({"us-1": "(new)", "eu-1": "(new)"}, ("2 regions", "24 accounts", "(new)"), id="new"),
        pytest.param(
            {"us-1": "ami-1", "eu-1": "(new)", "eu-2": "(new)"},
            ("3 regions", "24 accounts", "3 images"),
            id="some are new",
        ),
    ],
)
def test_one_row_for_many_has_what_they_share_and_counts_the_rest(
    images: dict[str, str], cells: tuple[str, str, str]
) -> None:
    good = [
        Row({"region": region, "account": str(account), "image": image, "findings": str(account)})
        for account in range(24)
        for region, image in images.items()
    ]
    assert list(collapse_rows([], good)) == [
        Row(dict(zip(("region", "account", "image"), cells, strict=True)))
    ]


def test_rows_with_a_problem_are_first_and_count() -> None:
    bad = [Row({"region": f"r-{one}"}, Tone.BAD) for one in range(30)]
    rows = list(collapse_rows(bad, [Row({"region": "good"})]))
    assert rows[:20] == bad[:20]
    assert rows[20:] == [Row({"region": "10 more"}, Tone.BAD), Row({"region": "good"})]


def test_failed_regions_and_their_rows() -> None:
    found = [
        failure(account_id="1"),
        failure("Other.", account_id="1"),
        failure(region=None),
        failure(region="a-1"),
    ]
    assert list_failed_regions(found) == ["a-1", "eu-west-1"]
    assert [row.cells for row in list_failed_rows(found)] == [
        {"region": "eu-west-1", "account": "1", "outcome": "failed"},
        {"region": "a-1", "account": None, "outcome": "failed"},
    ]


@pytest.mark.parametrize(
    ("changed", "is_plan", "text"),
    [(True, True, "planned"), (True, False, "changed"), (False, True, "unchanged")],
)
def test_outcomes(changed: bool, is_plan: bool, text: str) -> None:
    assert name_outcome(changed, is_plan) == text


def test_the_message_of_a_role_that_fails() -> None:
    found = [failure(f"No {number}.") for number in range(7)]
    lines = format_failure_message("It failed.", found, "report.json").splitlines()
    assert lines[:2] == ["It failed.", "- eu-west-1: No 0. Ask."]
    assert lines[6:] == ["2 more in report.json."]
    long = [failure(f"{number} {'x' * 1500}.") for number in range(5)]
    lines = format_failure_message("It failed.", long, OUTPUT).splitlines()
    assert (lines[0], lines[3]) == ("It failed.", f"3 more in {OUTPUT}.")
    assert [line[:14] for line in lines[1:3]] == ["- eu-west-1: 0", "- eu-west-1: 1"]
    assert lines[2].endswith("x. Ask.")


def test_the_number_of_problems_is_that_of_the_lines_below_it() -> None:
    same = [failure(region=region) for region in ("eu-west-1", "us-east-1")]
    assert format_failure_message("", same, OUTPUT) == "eu-west-1, us-east-1: No. Ask."
    assert format_failure_message("", [*same, failure("Gone.")], OUTPUT) == (
        "2 problems:\n- eu-west-1, us-east-1: No. Ask.\n- eu-west-1: Gone. Ask."
    )
    assert format_failure_message("", [], OUTPUT) == ""


def test_what_has_changed() -> None:
    found = {"added": ["A."], "removed": ["B."], "since": "2026-11-24T12:00:00+00:00"}
    assert texts(format_changes(found, None)) == ["Since 2026-11-24 12:00: 1 new, 1 gone.", "+ A.", "- B."]
    assert texts(format_changes(None, None)) == []
    other = {"since": "2026-11-24T12:00:00+00:00", "added": [], "removed": [], "note": "Another scope."}
    assert texts(format_changes(other, None)) == ["Another scope."]


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("ami-0123456789abcdef0", "ami-0123456789abcdef0"),
        ("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef", "key 1234abcd-12ab-34cd-56ef"),
        ("arn:aws:kms:eu-west-1:111122223333:key/mrk-1", "key mrk-1"),
    ],
)
def test_a_resource_in_a_column(resource: str, name: str) -> None:
    assert name_resource(resource) == name


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        ("all", "public"),
        ("222222222222", "222222222222"),
        ("arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5", "o-a1b2c3d4e5"),
        ("arn:aws:iam::222222222222:role/a/b", "arn:aws:iam::222222222222:role/a/b"),
    ],
)
def test_a_principal_in_a_column(principal: str, name: str) -> None:
    assert name_principal(principal) == name


@pytest.mark.parametrize(
    ("changed", "expected"),
    [([], False), ([False], True), ([False, True], False), ([False, False], True)],
)
def test_nothing_has_changed_if_no_result_has(changed: list[bool], expected: bool) -> None:
    assert has_no_change([{"changed": one} for one in changed]) is expected


@pytest.mark.parametrize(
    ("result", "is_plan", "status"),
    [
        ({"results": [{}]}, False, "shared"),
        ({"results": []}, False, "shared"),
        ({"results": [{}]}, True, "planned"),
        ({"results": [{}], "msg": "No."}, False, "incomplete"),
        ({"results": [{}], "msg": "No."}, True, "incomplete"),
        ({"results": [], "msg": "No."}, False, "failed"),
        # The fact before the module has run.
        ({"msg": ""}, True, "failed"),
    ],
)
def test_the_status_of_a_role_with_one_module(result: dict[str, Any], is_plan: bool, status: str) -> None:
    assert name_status(result, "shared", is_plan) == status
