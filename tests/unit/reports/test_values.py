# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as text."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.values import (
    add_account_names,
    choose_wrapping,
    is_number,
    render_date,
    render_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ("a", "a"),
        (["a", None, True], "a, , yes"),
        ((), ""),
    ],
)
def test_text(value: Any, text: str) -> None:
    assert render_text(value) == text


@pytest.mark.parametrize(
    ("value", "expected"), [(1, True), (-1.5, True), (True, False), ("1", False), (None, False)]
)
def test_a_number(value: Any, expected: bool) -> None:
    assert is_number(value) is expected


@pytest.mark.parametrize(
    ("value", "how"),
    [
        (None, ""),
        ("ami-0123456789abcdef0", "whole"),
        ("snap-0123456789abcdef0", "whole"),
        ("012345678901", "whole"),
        ("golden web 2026", "whole"),
        ("2026-11-24T12:00:00+00:00", "whole"),
        ("It is protected from deregistration.", "prose"),
        (["012345678901", "123456789012"], "whole"),
        (["012345678901", "123456789012", "210987654321"], "prose"),
        ("arn:aws:kms:eu-west-1:012345678901:key/1234abcd", "broken-up"),
        ("under arn:aws:kms:eu-west-1:012345678901:key/1234abcd", "broken-up"),
    ],
)
def test_the_class_for_line_breaks(value: Any, how: str) -> None:
    assert choose_wrapping(value) == how


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("012345678901", "web (012345678901)"),
        ("012345678901, 999999999999.", "web (012345678901), 999999999999."),
        ("arn:aws:iam::012345678901:root", "arn:aws:iam::012345678901:root"),
        ("ami-0123456789012", "ami-0123456789012"),
        ("0123456789012", "0123456789012"),
    ],
)
def test_the_names_of_accounts(text: str, shown: str) -> None:
    assert add_account_names(text, {"012345678901": "web"}) == shown
    assert add_account_names(text, {}) == text


def test_the_name_of_an_account_shows_invisible_characters() -> None:
    assert add_account_names("012345678901", {"012345678901": "a\u202eb"}) == (
        "a\u27e8U+202E\u27e9b (012345678901)"
    )


@pytest.mark.parametrize(
    ("time", "date"), [("2026-11-24T19:47:01+00:00", "2026-11-24"), ("2026-11-24", "2026-11-24"), (None, "")]
)
def test_the_date_of_a_time(time: str | None, date: str) -> None:
    assert render_date(time) == date
