# SPDX-License-Identifier: GPL-3.0-or-later

"""The script of a page, which writes text and sends no requests."""

from __future__ import annotations

import re

import pytest
from ansible_collections.golden.images.plugins.module_utils.reports.html.script import SCRIPT
from ansible_collections.golden.images.plugins.module_utils.reports.html.template import PAGE


@pytest.mark.parametrize(
    "api",
    [
        *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("),
        *("fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "import(", "localStorage", "cookie"),
    ],
)
def test_the_script_does_not_use(api: str) -> None:
    assert api not in SCRIPT


def test_no_text_in_it_ends_the_script_element() -> None:
    assert "</" not in SCRIPT
    assert "<!--" not in SCRIPT


def test_the_page_has_the_elements_that_it_needs() -> None:
    ids = set(re.findall(r"getElementById\('(\w+)'\)", SCRIPT))
    assert ids
    assert {f'id="{name}"' for name in ids} <= set(re.findall(r'id="\w+"', PAGE))
    (fields,) = re.findall(r"fields = \[([^\]]+)\]", SCRIPT)
    for field in re.findall(r"'(\w+)'", fields):
        assert f'name="{field}"' in PAGE
    for attribute in re.findall(r"hasAttribute\('([\w-]+)'\)", SCRIPT):
        assert attribute in PAGE
