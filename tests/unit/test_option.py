# SPDX-License-Identifier: GPL-3.0-or-later

"""What the declaration of options gives: the argument spec, the values and the validation errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._option import (
    IMAGE_IDS,
    REGION,
    TEXT,
    Options,
    choice,
    list_of,
    of_every_module,
    option,
    optional,
    options_of_module,
    tags,
    texts_by_region,
)
from ansible_collections.golden.images.plugins.module_utils._option_groups import arns_like

from tests.unit.examples import SOURCE_ID, as_read


@pytest.fixture
def declared() -> Any:
    """The options of a module."""

    @dataclass(frozen=True, kw_only=True)
    class RuleOptions(Options):
        image_ids: tuple[str, ...] = option(IMAGE_IDS)

    @dataclass(frozen=True, kw_only=True)
    class ModuleOptions(Options):
        name: str = option(TEXT, required=True)
        state: str = option(choice("present", "absent"), default="present")
        rules: tuple[RuleOptions, ...] = option(list_of(RuleOptions))
        tags: Mapping[str, str] | None = option(optional(tags()))
        topics: tuple[str, ...] = option(arns_like(re.compile("arn:[a-z]+"), "arn:sns"))
        snapshots: Mapping[str, tuple[str, ...]] = option(
            texts_by_region(re.compile("snap-[0-9]+"), "snapshot ID", "List IDs.")
        )
        other: Mapping[str, Any] = option(options_of_module(RuleOptions))
        secret: str | None = option(TEXT, no_log=True)
        region: str | None = of_every_module(REGION)

    return ModuleOptions


def test_a_declaration_gives_the_argument_spec(declared: Any) -> None:
    texts = {"type": "list", "elements": "str", "default": []}
    suboptions = {"image_ids": texts}
    assert declared.argument_spec() == {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "rules": {"type": "list", "elements": "dict", "default": [], "options": suboptions},
        "tags": {"type": "dict", "context": {"elements": "str"}},
        "topics": texts,
        "snapshots": {"type": "dict"},
        "other": {"type": "dict", "context": {"options": suboptions}},
        "secret": {"type": "str", "no_log": True},
    }


def test_values_are_read(declared: Any) -> None:
    given = {"name": "web", "rules": [{"image_ids": [SOURCE_ID]}], "region": "eu-west-1", "secret": "hunter2"}
    options = declared.read(as_read(declared.argument_spec(), given), True)
    (rule,) = options.rules
    assert (options.check_mode, options.name, rule.image_ids) == (True, "web", (SOURCE_ID,))
    assert options.state == "present"
    assert (options.tags, options.topics, options.region) == (None, (), "eu-west-1")
    assert declared.read({**given, "tags": {}}, True).tags == {}
    assert (options.snapshots, options.other) == ({}, {})
    by_region = {"eu-west-1": [" snap-1 ", "snap-2"], "us-east-1": "snap-3"}
    options = declared.read({**given, "snapshots": by_region, "other": {"image_ids": [SOURCE_ID]}}, True)
    assert options.snapshots == {"eu-west-1": ("snap-1", "snap-2"), "us-east-1": ("snap-3",)}
    assert options.other == {"image_ids": [SOURCE_ID]}
    assert "hunter2" not in repr(options)


def test_every_validation_error_names_its_option(declared: Any) -> None:
    given = {"rules": [{}, {"image_ids": ["web"]}], "tags": {"aws:a": ""}, "topics": ["sns"], "region": "EU"}
    with pytest.raises(ValidationError) as refused:
        declared.read(as_read(declared.argument_spec(), {"name": "web", **given}), False)
    assert [failure.message for failure in refused.value.failures] == [
        "rules[1].image_ids: 'web' is not a valid AMI ID.",
        "tags: the key 'aws:a' begins with 'aws:'.",
        "topics: 'sns' is not a full ARN.",
        "region: 'EU' is not a region.",
    ]


def test_defaults_are_those_of_the_argument_spec(declared: Any) -> None:
    options = declared(name="web")
    assert (options.rules, options.tags, options.topics, options.region) == ((), None, (), None)
    assert options == declared.read(as_read(declared.argument_spec(), {"name": "web"}), False)
