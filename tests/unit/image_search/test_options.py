# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the lookup ami, as searches or refusals."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._image_search.options import SearchOptions
from ansible_collections.golden.images.plugins.module_utils._image_search.state import Search

IMAGE, OTHER = "ami-0123456789abcdef0", "012345678901"
DEFAULTS: dict[str, Any] = {"tags": {}, "architecture": None, "owners": ["self"], "parameter": None}


@pytest.mark.parametrize(
    ("terms", "given", "expected"),
    [
        (["golden-*"], {}, [Search(name="golden-*")]),
        ([IMAGE, "web"], {}, [Search(image_id=IMAGE), Search(name="web")]),
        ([], {"tags": {"version": 7}}, [Search(tags={"version": "7"})]),
        ([], {"parameter": "/golden/web"}, [Search(parameter="/golden/web")]),
        (
            ["web"],
            {"parameter": "/golden/web", "owners": [OTHER], "architecture": "arm64"},
            [
                Search(name="web", owners=(OTHER,), architecture="arm64"),
                Search(parameter="/golden/web", owners=(OTHER,)),
            ],
        ),
    ],
)
def test_searches(terms: list[Any], given: dict[str, Any], expected: list[Search]) -> None:
    options = SearchOptions.read({**DEFAULTS, "_terms": terms, **given}, check_mode=False)
    assert options.searches == tuple(expected)


@pytest.mark.parametrize(
    ("terms", "given", "option"),
    [
        ([], {}, "_terms"),
        ([], {"architecture": "arm64"}, "_terms"),
        ([""], {}, "_terms"),
        (["{{ golden }}"], {}, "_terms"),
        (["web"], {"owners": []}, "owners"),
        (["web"], {"owners": ["all"]}, "owners"),
        (["web"], {"owners": ["12345"]}, "owners"),
        ([], {"parameter": "/golden/{web}"}, "parameter"),
    ],
)
def test_refusals(terms: list[Any], given: dict[str, Any], option: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SearchOptions.read({**DEFAULTS, "_terms": terms, **given}, check_mode=False)
    assert [failure.action for failure in refused.value.failures] == [option]
