# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets, labels, and when a target is already as wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Image, ImagesByTarget, Target
from ansible_collections.golden.images.plugins.module_utils.plan import KNOWN_AFTER_APPLY
from ansible_collections.golden.images.plugins.module_utils.publish.state import (
    TemplateVersion,
    base_version,
    common_labels,
    follows,
    follows_another,
    is_settled,
    label_for,
    label_of,
    launches_image,
    may_name,
    needs_version,
    versions_in_use,
    versions_to_launch,
)
from ansible_collections.golden.images.plugins.module_utils.tags import SOURCE_TAG

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, target_in
from tests.unit.publish.examples import (
    ABROAD,
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
    TEMPLATE,
    found,
    image,
    parameter,
    template,
    version,
    wanted,
)

OTHER_LATEST = TemplateVersion(2, {"ImageId": OLD})
TARGETS = [
    ({(None, REGION): NEW}, (), {target_in(): NEW}),
    ({(None, REGION): NEW}, (CONSUMER, OWNER), {target_in(): NEW, ABROAD: NEW}),
    # An account with its own image gets that one.
    ({(None, REGION): NEW, (CONSUMER, REGION): OLD}, (CONSUMER,), {target_in(): NEW, ABROAD: OLD}),
    ({(CONSUMER, REGION): OLD}, (), {ABROAD: OLD}),
    ({(STRANGER, REGION): OLD}, (CONSUMER,), {Target(STRANGER, REGION): OLD}),
]


@pytest.mark.parametrize(("images", "account_ids", "targets"), TARGETS)
def test_which_image_is_published_in_which_target(
    images: dict[tuple[str | None, str], str], account_ids: tuple[str, ...], targets: dict[Target, str]
) -> None:
    assert wanted(images=ImagesByTarget(images), account_ids=account_ids).targets(OWNER) == targets


def test_a_label_has_the_source_from_the_tag_or_from_aws_or_else_the_image() -> None:
    assert label_for("ami-1") == "source-ami-1"
    assert label_of(NEW, [image(tags={}), image()]) == LABEL == f"source-{SOURCE_ID}"
    assert label_of(NEW, [image(tags={}, source_image_id="ami-1")]) == "source-ami-1"
    assert label_of(NEW, []) == f"source-{NEW}"


@pytest.mark.parametrize(
    ("sources", "labels"),
    [
        pytest.param({"ami-1": None, "ami-2": "ami-1"}, {"ami-1": "ami-1", "ami-2": "ami-1"}, id="original"),
        pytest.param({"ami-1": "ami-0"}, {"ami-1": "ami-0"}, id="copy"),
        pytest.param(
            {"ami-1": "ami-0", "ami-2": "ami-1", "ami-3": "ami-1"},
            dict.fromkeys(["ami-1", "ami-2", "ami-3"], "ami-1"),
            id="promoted",
        ),
        pytest.param(
            {"ami-3": "ami-2", "ami-2": "ami-1", "ami-1": "ami-0"},
            dict.fromkeys(["ami-3", "ami-2", "ami-1"], "ami-1"),
            id="copies of copies",
        ),
        pytest.param(
            {"ami-1": "ami-0", "ami-2": "ami-0"}, {"ami-1": "ami-0", "ami-2": "ami-0"}, id="source elsewhere"
        ),
        pytest.param({"ami-1": "ami-2", "ami-2": "ami-1"}, {"ami-1": "ami-1", "ami-2": "ami-2"}, id="circle"),
        pytest.param(
            {"ami-1": "ami-0", "ami-2": "ami-0", "ami-1-own": "ami-1", "ami-2-own": "ami-2"},
            dict.fromkeys(["ami-1", "ami-2", "ami-1-own", "ami-2-own"], "ami-0"),
            id="accounts' own copies",
        ),
        pytest.param(
            {"ami-1": "ami-0", "ami-2": "ami-1", "ami-2-own": "ami-2"},
            dict.fromkeys(["ami-1", "ami-2", "ami-2-own"], "ami-1"),
            id="accounts' own copies of a promoted one",
        ),
    ],
)
@pytest.mark.parametrize("by_tag", [True, False], ids=["tag", "AWS"])
def test_images_that_are_published_together_have_the_label_of_their_common_source(
    sources: dict[str, str | None], labels: dict[str, str], by_tag: bool
) -> None:
    def view(image_id: str, source: str | None) -> Image:
        if by_tag:
            return image(image_id, tags={SOURCE_TAG: f"us-east-1/{source}"} if source else {})
        return image(image_id, tags={}, source_image_id=source)

    views = {image_id: [view(image_id, source)] for image_id, source in sources.items()}
    # An account copies the image of its region.
    regions = {image_id: image_id.removesuffix("-own") for image_id in views}
    assert common_labels(views, regions) == {
        image_id: f"source-{source}" for image_id, source in labels.items()
    }


@pytest.mark.parametrize(
    ("image_id", "own", "other"),
    [
        (OLD, False, False),
        (None, False, False),
        (f"resolve:ssm:{NAME}", True, False),
        (f"resolve:ssm:{NAME}:7", False, True),
        ("resolve:ssm:/golden/other", False, True),
    ],
)
def test_templates_that_follow_a_parameter(image_id: str | None, own: bool, other: bool) -> None:
    one = template(image_id).default
    assert (follows(one, NAME), follows_another(one, NAME)) == (own, other)


@pytest.mark.parametrize("name", [NAME, "/golden/other"])
def test_a_template_can_name_a_parameter_by_its_arn(name: str) -> None:
    arn = f"arn:aws:ssm:eu-west-1:{OWNER}:parameter{name}"
    one = TemplateVersion(1, {"ImageId": f"resolve:ssm:{arn}"}, name.removeprefix("/"))
    assert (follows(one, NAME), follows_another(one, NAME)) == (name == NAME, name != NAME)


@pytest.mark.parametrize(
    ("selected", "base", "in_use"), [(None, 1, [1, 2]), ("default", 1, [1]), ("latest", 2, [1, 2])]
)
def test_the_versions_of_a_template_that_matter(selected: str | None, base: int, in_use: list[int]) -> None:
    want, one = wanted(launch_template_base_version=selected), template(OLD, TemplateVersion(2, {}))
    assert base_version(want, one).number == base
    assert [version.number for version in versions_in_use(want, one)] == in_use


@pytest.mark.parametrize(
    ("want", "latest", "needed"),
    [
        ({}, None, True),
        ({}, version(1, OLD), True),
        ({}, version(1, NEW), False),
        ({"tier": "Advanced"}, version(1, NEW), True),
        ({"tier": "Advanced"}, version(1, NEW, tier="Advanced"), False),
    ],
)
def test_a_new_version_is_needed_for_another_image_or_the_advanced_tier(
    want: dict[str, Any], latest: Any, needed: bool
) -> None:
    assert needs_version(wanted(**want), parameter(latest) if latest else None, NEW) == needed
    assert needs_version(wanted(**want), parameter(version(1, NEW)), None)


@pytest.mark.parametrize(
    ("labels", "label", "named"),
    [
        ((LABEL,), LABEL, True),
        ((LABEL, "source-ami-other"), LABEL, True),
        (("source-ami-other", "prod"), LABEL, False),
        (("prod",), LABEL, True),
        (("source-ami-other",), KNOWN_AFTER_APPLY, True),
    ],
)
def test_the_newest_version_may_name_an_unknown_image(
    labels: tuple[str, ...], label: str, named: bool
) -> None:
    latest = parameter(version(1, OLD, *labels))
    assert may_name(wanted(), latest, None, label) == named
    assert not may_name(wanted(tier="Advanced"), latest, None, label)
    assert not may_name(wanted(), latest, OLD, label)


@pytest.mark.parametrize(
    ("value", "templates", "selected", "settled"),
    [
        (NEW, {TEMPLATE: template(NEW)}, None, True),
        (NEW, {TEMPLATE: template(f"resolve:ssm:{NAME}")}, None, True),
        (OLD, {TEMPLATE: template(NEW)}, None, False),
        (NEW, {TEMPLATE: template(OLD)}, None, False),
        (NEW, {}, None, False),
        (NEW, {TEMPLATE: template(NEW, OTHER_LATEST)}, None, False),
        (NEW, {TEMPLATE: template(NEW, OTHER_LATEST)}, "latest", False),
        (NEW, {TEMPLATE: template(NEW, OTHER_LATEST)}, "default", True),
    ],
)
def test_a_target_is_settled_if_parameter_and_templates_have_the_image(
    value: str, templates: dict[str, Any], selected: str | None, settled: bool
) -> None:
    here = found(parameter=parameter(version(1, value)), templates=templates)
    want = wanted(launch_templates=(TEMPLATE,), launch_template_base_version=selected)
    assert is_settled(want, here) == settled


def test_properties_of_versions() -> None:
    versions = parameter(version(1, OLD, "a"), version(2, NEW, "b"))
    assert versions.latest == version(2, NEW, "b")
    assert versions.labeled("a") == version(1, OLD, "a")
    assert [versions.has_value(value) for value in (OLD, NEW, SOURCE_ID)] == [True, True, False]
    assert versions.holds_image
    assert not parameter(version(data_type="text")).holds_image
    one, other = TemplateVersion(1, {"ImageId": OLD, "KeyName": "k"}), TemplateVersion(2, {"KeyName": "k"})
    assert (one.image_id, other.image_id) == (OLD, None)
    disk = {"DeviceName": "/dev/sdb"}
    assert TemplateVersion(3, {"BlockDeviceMappings": [disk]}).mappings == (disk,)
    assert one.mappings == ()
    assert wanted().all_regions == (REGION,)
    assert (wanted().is_rollback, wanted(images=None, regions=(REGION,)).is_rollback) == (False, True)


@pytest.mark.parametrize(
    ("image_id", "named", "value", "expected"),
    [
        (NEW, NEW, OLD, True),
        (NEW, OLD, NEW, False),
        (NEW, f"resolve:ssm:{NAME}", NEW, True),
        (NEW, f"resolve:ssm:{NAME}", OLD, False),
        (NEW, f"resolve:ssm:{NAME}", None, False),
        (NEW, None, NEW, False),
        (None, None, OLD, False),
    ],
)
def test_versions_that_launch_the_image_already(
    image_id: str | None, named: str | None, value: str | None, expected: bool
) -> None:
    there = found(image_id=image_id, parameter=parameter(version(1, value)) if value else None)
    assert launches_image(wanted(), there, template(named).default) is expected


def test_a_kept_latest_version_that_follows_the_parameter_launches_the_image_too() -> None:
    following = TemplateVersion(2, {"ImageId": f"resolve:ssm:{NAME}"})
    both, other = template(OLD, following), template(OLD, OTHER_LATEST)
    assert versions_to_launch(wanted(), both) == (both.default, following)
    assert versions_to_launch(wanted(), other) == (other.default,)
    assert versions_to_launch(wanted(launch_template_base_version="latest"), both) == (following,)
    assert versions_to_launch(wanted(), template()) == (template().default,)
