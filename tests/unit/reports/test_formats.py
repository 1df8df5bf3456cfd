# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a report."""

from __future__ import annotations

import json
from dataclasses import replace

from ansible_collections.golden.images.plugins.module_utils._reports.as_csv import render_csv
from ansible_collections.golden.images.plugins.module_utils._reports.as_sarif import render_sarif
from ansible_collections.golden.images.plugins.module_utils._reports.formats import (
    JSON,
    LATEST,
    NAMES,
    make_dated_stem,
    render_all,
    render_json,
    replace_stem,
)
from ansible_collections.golden.images.plugins.module_utils._reports.html.render import render_html

from tests.unit.reports.examples import PAGE_FILES, document

NOW = "2026-11-24T12:00:00+00:00"


def test_json_is_sorted_and_ends_with_a_line_break() -> None:
    assert render_json({"b": [1], "a": None}) == '{\n  "a": null,\n  "b": [\n    1\n  ]\n}\n'
    assert json.loads(render_json({"name": "\ud800"})) == {"name": "\ud800"}


def test_every_format_except_json() -> None:
    assert dict(render_all(document(), NOW, PAGE_FILES)) == {
        "report.csv": render_csv(document().records),
        "report.sarif": render_sarif(document(), NOW),
        "report.html": render_html(document(), NOW, PAGE_FILES),
    }
    assert {JSON, *dict(render_all(document(), NOW, PAGE_FILES))} == {*NAMES}


def test_lone_surrogates_can_be_written_as_utf_8() -> None:
    (row, *rows) = document().records.rows
    records = replace(document().records, rows=({**row, "name": "golden-\ud800"}, *rows))
    texts = dict(render_all(replace(document(), records=records), NOW, PAGE_FILES))
    assert all(text.encode("utf-8") for text in texts.values())
    assert "golden-\\ud800" in texts["report.csv"]


def test_names_with_the_time_of_a_report() -> None:
    assert make_dated_stem(NOW) == "report-20261124T120000Z"
    assert [replace_stem(make_dated_stem(NOW), name) for name in NAMES] == [
        f"report-20261124T120000Z.{ending}" for ending in ("json", "csv", "sarif", "html")
    ]
    assert make_dated_stem(NOW, failed=True) == "report-20261124T120000Z.failed"
    assert replace_stem(LATEST, JSON) == "latest.json"
