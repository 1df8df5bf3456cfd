# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the lookup plugin ami, which defines its options."""

from __future__ import annotations

import re

import yaml
from ansible_collections.golden.images.plugins.lookup import ami
from ansible_collections.golden.images.plugins.module_utils.image_search.state import Search

OPTIONS = yaml.safe_load(ami.DOCUMENTATION)["options"]


def test_the_documented_defaults_are_those_of_the_code() -> None:
    assert tuple(OPTIONS["owners"]["default"]) == Search().owners
    assert OPTIONS["tags"]["default"] == Search().tags


def test_all_options_are_read() -> None:
    assert {"_terms", *ami._OPTIONS} == {*OPTIONS}


def test_examples_use_documented_options() -> None:
    calls = re.findall(r"lookup\('golden\.images\.ami',(.*?)\) }}", ami.EXAMPLES, re.DOTALL)
    assert len(calls) == 3
    used = {name for call in calls for name in re.findall(r"(\w+)=", call)}
    assert used - {"region"} < {*OPTIONS}
