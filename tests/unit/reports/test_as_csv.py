# SPDX-License-Identifier: GPL-3.0-or-later

"""Records as CSV, without formulas for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.as_csv import render_csv
from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    Column,
    Each,
    Table,
    count_rows,
    expand_row,
)
from hypothesis import given
from hypothesis import strategies as st


def cell(value: Any) -> str:
    """The value as the file has it, quotes and all."""
    title, line, end = render_csv(Table("", (Column("a", "A"),), ({"a": value},))).split("\r\n", 2)
    assert (title, end) == ('"A"', "")
    return line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("golden", '"golden"'),
        ("012345678901", '"012345678901"'),
        ("", '""'),
        (None, '""'),
        (True, '"true"'),
        (False, '"false"'),
        (0, "0"),
        (-3, "-3"),
        (2.5, "2.5"),
        ([], '""'),
        (["111111111111", "222222222222"], '"111111111111, 222222222222"'),
        ('say "hi", twice', '"say ""hi"", twice"'),
        ("\u0635\u0648\u0631\u0629 \U0001f680", '"\u0635\u0648\u0631\u0629 \U0001f680"'),
        # OWASP, CSV Injection.
        ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
        ("+1", '"\'+1"'),
        ("-1", '"\'-1"'),
        ("@SUM(A1)", '"\'@SUM(A1)"'),
        ("\t=1", "\"'\t'=1\""),
        ("\r=1", "\"'\r'=1\""),
        ("\n=1", "\"'\n'=1\""),
        ("  =1", '"\'  =1"'),
        ("\u00a0=1", '"\'\u00a0=1"'),
        ("\x00=1", '"\'\x00=1"'),
        ("\uff1d1", '"\'\uff1d1"'),
        (["=1", "b"], '"\'=1, b"'),
        ('=1";=2', '"\'=1"";\'=2"'),
        # Where semicolons or line ends are taken for the ends of cells, these would begin in one.
        ("a;=1;b", '"a;\'=1;b"'),
        ('a; "=1', '"a;\' ""=1"'),
        ("a\n-1", '"a\n\'-1"'),
        ("a;b\nc", '"a;b\nc"'),
        # Only what a cell begins with makes it a formula.
        ("a=1", '"a=1"'),
        ("golden-web", '"golden-web"'),
    ],
)
def test_a_cell(value: Any, text: str) -> None:
    assert cell(value) == text


def test_a_row_for_each_value() -> None:
    columns = (Column("a", "A"), Column("who", "Who"), Column("n", "N"))
    rows = ({"a": "x", "who": Each(("1", "=2")), "n": 3}, {"a": "y", "who": Each(())}, {"a": "z", "n": 4})
    single = tuple(one for row in rows for one in expand_row(row))
    text = render_csv(Table("", columns, rows))
    assert text.split("\r\n")[1:] == ['"x","1",3', '"x","\'=2",3', '"z","",4', ""]
    assert text == render_csv(Table("", columns, single))
    assert count_rows(rows) == len(single)


def test_lines_end_with_cr_lf() -> None:
    table = Table("", (Column("a", "A"), Column("b", "=B")), ({"a": 1, "b": "x"}, {"b": "a\nb"}))
    assert render_csv(table) == '"A","\'=B"\r\n1,"x"\r\n"","a\nb"\r\n'


ROWS = st.lists(
    st.fixed_dictionaries({"a": st.text(), "b": st.text() | st.integers() | st.none()}), max_size=4
)


def table(rows: list[dict[str, Any]]) -> str:
    return render_csv(Table("", (Column("a", "A"), Column("b", "B")), tuple(rows)))


@given(ROWS)
def test_a_csv_reader_returns_the_values(rows: list[dict[str, Any]]) -> None:
    read = list(csv.reader(io.StringIO(table(rows), newline=""), strict=True))[1:]
    assert len(read) == len(rows)
    for row, cells in zip(rows, read, strict=True):
        for value, found in zip((row["a"], row["b"]), cells, strict=True):
            if isinstance(value, int):
                assert found == str(value)
            else:
                # Nothing is lost, and nothing but quotes is added.
                assert found.replace("'", "") == (value or "").replace("'", "")


DANGEROUS = st.text(st.sampled_from("=+-@;,\t\r\n '\"ab"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@given(rows=st.lists(st.fixed_dictionaries({"a": DANGEROUS, "b": DANGEROUS}), max_size=4))
def test_no_cell_is_a_formula_with_any_delimiter(delimiter: str, rows: list[dict[str, Any]]) -> None:
    for cells in csv.reader(io.StringIO(table(rows), newline=""), delimiter=delimiter):
        for found in cells:
            assert found.strip()[:1] not in {*"=+-@"}
