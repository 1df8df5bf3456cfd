# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of what counts as use, in the guide of the cleanup."""

from __future__ import annotations

import pytest

from checks import uses
from checks.commands import CheckError
from checks.paths import CHECKOUT


def test_the_page_is_up_to_date() -> None:
    uses.check()


def test_a_page_with_another_table_is_written_again() -> None:
    text = (CHECKOUT / uses.PAGE).read_text(encoding="utf-8")
    assert uses.written(text.replace("in any state but terminated", "")) == text


def test_a_page_without_a_place_is_refused() -> None:
    with pytest.raises(CheckError, match="a table below it"):
        uses.written("# Cleanup\n")
