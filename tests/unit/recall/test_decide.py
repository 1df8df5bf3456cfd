# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pointers of a target move to which image, and which go back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef
from ansible_collections.golden.images.plugins.module_utils._publish.state import TargetState
from ansible_collections.golden.images.plugins.module_utils._recall.decide import (
    choose_restored,
    explain_parameter,
    explain_template,
    needs_history,
)
from ansible_collections.golden.images.plugins.module_utils._recall.record import LAUNCH_TEMPLATE
from ansible_collections.golden.images.plugins.module_utils._recall.state import find_release

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.recall.examples import (
    AWAY,
    BAD,
    GOOD,
    HERE,
    HOME,
    NAME,
    OLDER,
    OTHER,
    SOURCE,
    TEMPLATE,
    TEMPLATE_ID,
    THERE,
    image,
    options,
    parameter,
    pointer,
    template,
    unit_of,
)

GONE, OWN = "ami-0123456789abcdef0", "ami-77777777777777777"
FOLLOWS = f"resolve:ssm:{NAME}"
FAILED = "stays, because it failed"
# What is there, and then: the image, the pointers that move, the failures, the reasons why others stay.
CASES: dict[str, tuple[dict[str, Any], tuple[str | None, list[str], list[str], list[str]]]] = {
    "earlier version": (
        {"parameter": parameter(GOOD, BAD), "template": template(BAD)},
        (GOOD, [NAME, TEMPLATE], [], []),
    ),
    "newest earlier version": (
        {"parameter": parameter(OTHER, GOOD, BAD, BAD), "launch_templates": ()},
        (GOOD, [NAME], [], []),
    ),
    "earlier version was recalled": (
        {"parameter": parameter(GOOD, OLDER, BAD), "launch_templates": ()},
        (GOOD, [NAME], [], []),
    ),
    "no earlier image": (
        {"parameter": parameter(OLDER, BAD), "template": template(BAD)},
        (None, [NAME, TEMPLATE], ["no_earlier_image"], []),
    ),
    "no parameter": (
        {"template": template(BAD)},
        (None, [TEMPLATE], ["no_earlier_image"], ["does not exist"]),
    ),
    "already elsewhere": (
        {"parameter": parameter(BAD, GOOD), "launch_templates": ()},
        (None, [], [], ["names another image already"]),
    ),
    "only the template": (
        {"parameter": parameter(BAD, GOOD), "template": template(BAD)},
        (GOOD, [TEMPLATE], [], ["names another image already"]),
    ),
    "template of another family": (
        {"parameter": parameter(GOOD, BAD), "template": template(OTHER)},
        (GOOD, [NAME], [], ["is not an image of the release"]),
    ),
    "template that follows": (
        {"parameter": parameter(GOOD, BAD), "template": template(FOLLOWS)},
        (GOOD, [NAME], [], [f"launches what {NAME} names"]),
    ),
    "template that follows another parameter": (
        {"parameter": parameter(GOOD, BAD), "template": template("resolve:ssm:/golden/db")},
        (GOOD, [NAME], [], ["takes its image from resolve:ssm:/golden/db, which was not looked at"]),
    ),
    "template without an image": (
        {"parameter": parameter(GOOD, BAD), "template": template("")},
        (GOOD, [NAME], [], ["launches no image of its own"]),
    ),
    "template with the version of the release": (
        {"parameter": parameter(GOOD, BAD), "template": template(f"{FOLLOWS}:2")},
        (GOOD, [NAME], ["launch_template_follows_parameter"], [FAILED]),
    ),
    "template with the label of the release": (
        {
            "parameter": parameter(GOOD, BAD, labels={2: SOURCE}),
            "template": template(f"{FOLLOWS}:source-{SOURCE}"),
        },
        (GOOD, [NAME], ["launch_template_follows_parameter"], [FAILED]),
    ),
    "template with an earlier version": (
        {"parameter": parameter(GOOD, BAD), "template": template(f"{FOLLOWS}:1")},
        (GOOD, [NAME], [], ["is not an image of the release"]),
    ),
    "only the latest version of the template": (
        {"parameter": parameter(BAD, GOOD), "template": template(GOOD, BAD, default=1)},
        (None, [], ["launch_template_versions_differ"], ["names another image already", FAILED]),
    ),
    "latest version of a template that follows": (
        {"parameter": parameter(GOOD, BAD), "template": template(FOLLOWS, BAD, default=1)},
        (GOOD, [NAME], ["launch_template_versions_differ"], [FAILED]),
    ),
    "latest version of another family that does not count": (
        {
            "parameter": parameter(GOOD, BAD),
            "template": template(BAD, OTHER, default=1),
            "launch_template_base_version": "default",
        },
        (GOOD, [NAME, TEMPLATE], [], []),
    ),
    "latest version that an interrupted run has made": (
        {"parameter": parameter(GOOD, BAD), "template": template(BAD, GOOD, default=1)},
        (GOOD, [NAME, TEMPLATE], [], []),
    ),
    "latest version that does not count": (
        {
            "parameter": parameter(GOOD, BAD),
            "template": template(GOOD, BAD, default=1),
            "launch_template_base_version": "default",
        },
        (GOOD, [NAME], [], ["is not an image of the release"]),
    ),
    "latest version of another family": (
        {"parameter": parameter(GOOD, BAD), "template": template(BAD, OTHER, default=1)},
        (GOOD, [NAME], ["launch_template_versions_differ"], [FAILED]),
    ),
    "deregistered image of the release": (
        {"parameter": parameter(GOOD, GONE, labels={2: SOURCE}), "launch_templates": ()},
        (GOOD, [NAME], [], []),
    ),
    "earlier version with a deregistered image of the release": (
        {"parameter": parameter(GOOD, GONE, BAD, labels={2: SOURCE}), "launch_templates": ()},
        (GOOD, [NAME], [], []),
    ),
    "deregistered image that the record has": (
        {
            "parameter": parameter(GOOD, GONE),
            "launch_templates": (),
            "release": find_release(OWNER, ImageRef(HOME, SOURCE), None, {}, [ImageRef(AWAY, GONE)]),
        },
        (GOOD, [NAME], [], []),
    ),
    "parameter of another family": (
        {"parameter": parameter(OTHER, GOOD), "template": template(BAD)},
        (None, [TEMPLATE], ["no_earlier_image"], ["is not an image of the release"]),
    ),
    "nothing there": ({}, (None, [], [], ["does not exist"] * 2)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_names_the_release_moves_and_nothing_else(case: str) -> None:
    given, (image_id, moved, failures, reasons) = CASES[case]
    unit = unit_of(**given)
    assert [item.name for item in unit.pointers] == moved
    assert [failure.error_code for failure in (*unit.failures, *unit.left_failures)] == failures
    assert [left.reason for left in unit.left] == reasons
    if moved:
        assert unit.state.image_id == image_id


def test_the_label_moves_with_the_image() -> None:
    unit = unit_of(parameter(GOOD, OTHER, BAD, labels={1: OLDER, 2: GOOD}))
    assert (unit.state.image_id, unit.options.source_image_id) == (OTHER, GOOD)
    # Without one, it is that of the image itself or of its source.
    assert unit_of(parameter(GOOD, BAD)).options.source_image_id == GOOD


def test_an_image_that_was_recalled_cannot_be_selected() -> None:
    there = parameter(GOOD, OLDER, BAD, labels={1: GOOD, 3: SOURCE})
    unit = unit_of(there, previous_source_image_id=OLDER, image_id=OLDER)
    assert [failure.error_code for failure in unit.failures] == ["image_recalled"]
    unit = unit_of(there, previous_source_image_id=OTHER)
    (failure,) = unit.failures
    assert (failure.error_code, failure.action) == ("label_not_found", "previous_source_image_id")
    assert f"source-{GOOD}" in failure.message
    # Who follows the remedy must not recall another release, nor go back to this one.
    assert f"source-{SOURCE}" not in failure.message
    assert "previous_source_image_id" in failure.remedy
    # An image that the user has selected need not be of the parameter's earlier release.
    unit = unit_of(parameter(OTHER), template(BAD), previous_source_image_id=OTHER, image_id=OTHER)
    assert (unit.failures, unit.state.image_id) == ((), OTHER)


def test_a_consumers_own_copy_is_of_the_release() -> None:
    own = image(OTHER, source=f"{AWAY}/{BAD}")
    release = find_release(OWNER, ImageRef(HOME, SOURCE), None, {ImageRef(AWAY, BAD): image(BAD)})
    assert not release.images
    chain = {ImageRef(AWAY, BAD): image(BAD, source=f"{HOME}/{SOURCE}"), ImageRef(AWAY, OTHER): own}
    release = find_release(OWNER, ImageRef(HOME, SOURCE), None, chain)
    assert {ref.image_id for ref in release.images} == {BAD, OTHER}
    unit = unit_of(parameter(GOOD, OTHER), release=release, target=THERE, launch_templates=())
    assert [item.before for item in unit.pointers] == [(OTHER, 2)]


def test_a_consumers_own_copy_of_another_recalled_release_is_no_image_to_go_back_to() -> None:
    # A recall tags the owner's images only.
    copies = tuple(
        replace(image(image_id, source=f"{AWAY}/{source}"), owner_id=CONSUMER)
        for image_id, source in ((OTHER, OLDER), (OWN, BAD))
    )
    there = {"parameter": parameter(GOOD, OTHER, OWN), "launch_templates": ()}
    unit = unit_of(**there, target=THERE, images=copies)
    assert ([item.before for item in unit.pointers], unit.state.image_id) == ([(OWN, 3)], GOOD)
    unit = unit_of(
        **there, target=THERE, images=copies, image_id=OTHER, previous_source_image_id="ami-66666666666666666"
    )
    assert [failure.error_code for failure in unit.failures] == ["image_recalled"]


def test_the_images_of_all_versions_matter_to_what_moves_and_to_who_names_a_version() -> None:
    publishing = options().publishing(NAME, (AWAY,))
    for text, matters in ((f"{FOLLOWS}:1", True), (FOLLOWS, False), (GOOD, False), (BAD, True)):
        unit = unit_of(parameter(BAD, GOOD), template(text))
        assert needs_history(publishing, unit) == matters


def test_a_rerun_completes_what_was_interrupted_and_leaves_what_is_done() -> None:
    there = {"parameter": parameter(GOOD, BAD, GOOD), "template": template(BAD, GOOD)}
    interrupted = (pointer(after=(GOOD, None)), pointer(LAUNCH_TEMPLATE, (BAD, 1), (GOOD, None)))
    unit = unit_of(**there, recorded=interrupted)
    assert [(item.before, item.after) for item in unit.pointers] == [
        ((BAD, 2), (GOOD, None)),
        ((BAD, 1), (GOOD, None)),
    ]
    done = (pointer(), pointer(LAUNCH_TEMPLATE, (BAD, 1), (GOOD, 2)))
    unit = unit_of(**there, recorded=done)
    assert (unit.pointers, unit.settled, unit.left) == ((), done, ())
    # The same image in a later version is somebody else's.
    unit = unit_of(parameter(GOOD, BAD, GOOD, GOOD), recorded=done, launch_templates=())
    assert (unit.pointers, unit.settled, len(unit.left)) == ((), (), 1)


def test_a_copy_without_the_tag_is_of_the_release_but_no_image_that_was_built_from_it() -> None:
    # AWS records the source of a copy; of an image that was built from an instance, it is not read.
    copy = replace(image(OTHER), source_region=AWAY, source_image_id=BAD)
    release = find_release(
        OWNER, ImageRef(HOME, SOURCE), None, {ImageRef(AWAY, BAD): image(BAD)}, [ImageRef(AWAY, BAD)]
    )
    assert release.includes(ImageRef(AWAY, OTHER), copy)
    assert not release.includes(ImageRef(AWAY, OTHER), image(OTHER))


def test_what_somebody_else_owns_is_of_the_release_and_not_the_owners() -> None:
    """Any account can use the public image that a release was copied from without the owner."""
    source, there = ImageRef(HOME, SOURCE), ImageRef(AWAY, BAD)
    images, gone = {there: image(BAD, source=f"{HOME}/{SOURCE}")}, ImageRef(AWAY, GONE)
    for itself, owned in (
        (image(SOURCE), {source, there}),
        (replace(image(SOURCE), owner_id=CONSUMER), {there}),
        # It may have been anybody's.
        (None, {there}),
    ):
        release = find_release(OWNER, source, itself, images, [gone])
        assert release.owned == {*owned, gone}
        assert release.refs == {source, there, gone}


CHANGED, NOT_MOVED = "was changed since", "was not moved"
PARAMETERS = {
    "as it was left": (parameter(GOOD, BAD, GOOD), 3, ""),
    "same image in another version": (parameter(GOOD, BAD, GOOD, GOOD), 3, CHANGED),
    "another image": (parameter(GOOD, BAD, GOOD, OTHER), 3, CHANGED),
    "restored already": (parameter(GOOD, BAD, GOOD, BAD), 3, ""),
    "deleted": (None, 3, "does not exist"),
    "created again": (parameter(BAD), 3, NOT_MOVED),
    "interrupted after the value": (parameter(GOOD, BAD, GOOD), None, ""),
    "interrupted, twice": (parameter(GOOD, BAD, GOOD, GOOD), None, ""),
    "interrupted before the value": (parameter(GOOD, BAD), None, NOT_MOVED),
    "interrupted, then changed": (parameter(GOOD, BAD, GOOD, OTHER), None, CHANGED),
    "interrupted, then restored": (parameter(GOOD, BAD, GOOD, BAD), None, ""),
}
TEMPLATES = {
    "as it was left": (template(BAD, GOOD), 2, ""),
    "same image in another version": (template(BAD, GOOD, GOOD), 2, CHANGED),
    "another image": (template(BAD, GOOD, OTHER), 2, CHANGED),
    "a newer version that is not the default": (template(BAD, GOOD, OTHER, default=2), 2, ""),
    "default version set back": (template(BAD, GOOD, default=1), 2, CHANGED),
    "restored already": (template(BAD, GOOD, BAD), 2, ""),
    "deleted": (None, 2, "does not exist"),
    "interrupted before": (template(BAD), None, NOT_MOVED),
    "interrupted with the version": (template(BAD, GOOD, default=1), None, ""),
    "interrupted after": (template(BAD, GOOD), None, ""),
    "interrupted, then changed": (template(BAD, GOOD, OTHER), None, CHANGED),
}


@pytest.mark.parametrize("case", PARAMETERS)
def test_a_parameter_goes_back_if_it_is_as_the_recall_left_it(case: str) -> None:
    now, number, reason = PARAMETERS[case]
    explained = explain_parameter(pointer(after=(GOOD, number)), now)
    assert explained.startswith(reason)
    assert bool(explained) == bool(reason)


@pytest.mark.parametrize("case", TEMPLATES)
def test_a_template_goes_back_if_it_is_as_the_recall_left_it(case: str) -> None:
    now, number, reason = TEMPLATES[case]
    explained = explain_template(pointer(LAUNCH_TEMPLATE, (BAD, 1), (GOOD, number)), now)
    assert explained.startswith(reason)
    assert bool(explained) == bool(reason)


def test_pointers_of_one_image_go_back_together_and_others_are_left() -> None:
    publishing = options().publishing(NAME, (AWAY,), source_image_id=SOURCE)
    state = TargetState(parameter=parameter(GOOD, BAD, GOOD), templates={TEMPLATE_ID: template(BAD, OTHER)})
    recorded = (pointer(), pointer(LAUNCH_TEMPLATE, (BAD, 1), (GOOD, 2)))
    left, moved = choose_restored(publishing, HERE, state, recorded)
    assert [item.name for item in left.left] == [TEMPLATE]
    assert (moved.pointers, moved.state.image_id) == ((recorded[0],), BAD)
    assert moved.options.source_image_id == SOURCE
