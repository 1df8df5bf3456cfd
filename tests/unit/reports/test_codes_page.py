# SPDX-License-Identifier: GPL-3.0-or-later

"""Codes of the collection lead to their headings on the page of codes, once a release says where that is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports import codes_page
from ansible_collections.golden.images.plugins.module_utils._reports.codes_page import build_address

CHECKOUT = Path(__file__).resolve().parents[3]
PAGE = "https://git.example.net/golden/images/-/blob/v1.0.0/docs/codes.md"


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes_page, "PAGE", PAGE)


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("code", ["public", "default_key", "wrong_parameter_type"])
def test_a_code_of_the_collection_has_an_address(code: str) -> None:
    assert build_address(code) == f"{PAGE}#{code}"
    assert f"\n### {code}\n" in (CHECKOUT / "docs" / "codes.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize(
    "code", ["AccessDenied", "InvalidAMIID.NotFound", "502", "", "public\n", '"><script>', "../codes", "a b"]
)
def test_another_code_has_none(code: str) -> None:
    assert build_address(code) == ""


def test_before_the_first_release_there_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.fullmatch(r"(https://\S+/v\d+\.\d+\.\d+/docs/codes\.md)?", codes_page.PAGE)
    monkeypatch.setattr(codes_page, "PAGE", "")
    assert build_address("public") == ""
