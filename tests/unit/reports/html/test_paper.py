# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of a page is printed."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils._reports.html.paper import (
    Paper,
    Printed,
    fit_paper,
)

LEAST = Paper(groups=8, changes=4, matrix_rows=6, picture_rows=4)


def test_what_fits_is_printed() -> None:
    found = fit_paper(Printed([["A cause."] * 3], [["A change."]], 8, [8]))
    assert found.groups >= 3
    assert min(found.matrix_rows, found.picture_rows) >= 8


def test_the_rows_of_a_short_plan_leave_less_room() -> None:
    without, with_rows = (fit_paper(Printed([["A cause."] * 30], action_rows=number)) for number in (0, 24))
    assert with_rows.groups < without.groups


def test_of_more_the_first_are_printed() -> None:
    assert fit_paper(Printed([["A cause. " * 30] * 60], [["A change. " * 15] * 6], 24, [30])) == LEAST
    half = fit_paper(Printed([["A cause. " * 30] * 60] * 2, [["A change. " * 15] * 6], 24, [30] * 3))
    assert half.groups == 4


def test_long_texts_leave_less_room() -> None:
    short, long = (fit_paper(Printed([[text] * 60])) for text in ("A cause.", "A cause. " * 50))
    assert LEAST.groups < long.groups < short.groups < 60
