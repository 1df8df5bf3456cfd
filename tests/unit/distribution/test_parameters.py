# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's parameters, from its argument spec and the values that are given."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.distribution.parameters import parameters

SPEC = {
    "state": {"type": "str", "default": "present"},
    "wait": {"type": "bool", "default": True},
    "tier": {"type": "str"},
}


def test_options_that_are_not_given_have_their_default_or_none():
    assert parameters(SPEC, {}) == {"state": "present", "wait": True, "tier": None}


def test_a_given_value_replaces_the_default_even_if_it_is_false_or_none():
    assert parameters(SPEC, {"wait": False, "state": None}) == {"state": None, "wait": False, "tier": None}


def test_options_of_other_modules_are_left_out():
    assert parameters(SPEC, {"tier": "Advanced", "regions": ["eu-west-1"]}) == {
        "state": "present",
        "wait": True,
        "tier": "Advanced",
    }
