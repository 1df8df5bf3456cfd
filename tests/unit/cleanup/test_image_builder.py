# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images a lifecycle policy of Image Builder retires, and which are kept because that is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import decisions
from ansible_collections.golden.images.plugins.module_utils.cleanup.image_builder import (
    applies_to,
    builder_regions,
    managed_by_policy,
    unknown_policies,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    CleanupSeen,
    ImageBuild,
    ImageBuilder,
    LifecyclePolicy,
    Recipe,
    unreadable,
)
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef

from tests.unit.cleanup.examples import FAMILY, REGION, own, region_state, seen, wanted
from tests.unit.examples import OWNER, STRANGER

HOME = "us-west-2"
REF = ImageRef(REGION, "ami-1")
BY_RECIPE = LifecyclePolicy((Recipe("web", "1.x.x"),))
DENIED = unreadable("ListLifecyclePolicies", "AccessDeniedException: No.")


def tags(account_id: str = OWNER, **more: str) -> dict[str, str]:
    """The tags of an image of the family ``web`` that Image Builder built."""
    arn = f"arn:aws:imagebuilder:{HOME}:{account_id}:image/web/1.0.0/1"
    return {**FAMILY, "CreatedBy": "EC2 Image Builder", "Ec2ImageBuilderArn": arn, **more}


def saw(image_builder: dict[str, ImageBuilder] | None = None, **changes: Any) -> CleanupSeen:
    """An image of Image Builder from before two other images of its family, and Image Builder."""
    built = own("ami-1", 3, **{"tags": tags(), **changes})
    state = region_state(built, own("ami-2", 2), own("ami-3", 1))
    return replace(seen(state), image_builder=image_builder or {})


def builder(*policies: LifecyclePolicy, images: tuple[ImageRef, ...] = (REF,)) -> dict[str, ImageBuilder]:
    build = ImageBuild("web", "1.0.0/1", {"team": "a"}, images)
    return {HOME: ImageBuilder(policies, (build,))}


def decided(given: CleanupSeen, **rules: Any) -> dict[str, str]:
    return {one.ref.image_id: one.kind for one in decisions(wanted(**rules), given)}


@pytest.mark.parametrize(
    ("policy", "applies"),
    [
        (BY_RECIPE, True),
        (LifecyclePolicy((Recipe("other", "x.x.x"), Recipe("Web_Server 1", "x.2.3"))), True),
        (LifecyclePolicy((Recipe("Web_Server 1", "1.2.4"),)), False),
        (LifecyclePolicy((Recipe("Web_Server", "1.2.3"),)), False),
        (LifecyclePolicy((Recipe("Web_Server 1", "1.2.30"),)), False),
        (LifecyclePolicy(tags={"other": "x", "team": "web"}), True),
        (LifecyclePolicy(tags={"team": "db"}), False),
        (LifecyclePolicy(), False),
    ],
)
def test_a_policy_applies_by_recipe_or_by_a_tag_of_the_build(policy: LifecyclePolicy, applies: bool) -> None:
    name = "web" if policy is BY_RECIPE else "web-server-1"
    assert applies_to(policy, ImageBuild(name, "1.2.3/4", {"team": "web"})) is applies


def test_policies_are_read_where_own_images_were_built() -> None:
    assert builder_regions(wanted(), saw()) == (HOME,)
    assert builder_regions(wanted(), saw(tags=FAMILY)) == ()
    assert builder_regions(wanted(), saw(tags=tags(STRANGER))) == ()
    assert builder_regions(wanted(), saw(tags={"Ec2ImageBuilderArn": "web"})) == ()
    assert builder_regions(wanted(), saw(tags=tags(**{"golden.images:source": "eu-west-1/ami-0"}))) == ()


def test_images_of_image_builder_can_be_retired_like_all_others() -> None:
    asked = wanted(include_image_builder=True)
    assert builder_regions(asked, saw()) == ()
    assert unknown_policies(asked, saw()) == {}
    assert decided(saw(), include_image_builder=True) == decided(saw(tags=FAMILY))


def test_an_image_that_a_policy_retires_is_neither_retired_nor_the_latest() -> None:
    given = saw(builder(BY_RECIPE, images=(ImageRef(REGION, "ami-3"),)))
    assert managed_by_policy(given) == {ImageRef(REGION, "ami-3")}
    assert decided(given) == {"ami-1": "deregister", "ami-2": "keep"}


@pytest.mark.parametrize(
    "found",
    [
        {HOME: ImageBuilder()},
        builder(LifecyclePolicy((Recipe("db", "x.x.x"),))),
        builder(BY_RECIPE, images=(ImageRef("us-east-1", "ami-1"),)),
    ],
)
def test_an_image_to_which_no_policy_applies_is_one_like_all_others(found: dict[str, ImageBuilder]) -> None:
    given = saw(found)
    assert REF not in managed_by_policy(given)
    assert unknown_policies(wanted(), given) == {}
    assert decided(given) == {"ami-1": "deregister", "ami-2": "deregister", "ami-3": "keep"}


@pytest.mark.parametrize(
    ("found", "changes", "detail"),
    [
        ({HOME: ImageBuilder(unread=DENIED)}, {}, "AccessDeniedException: No."),
        ({HOME: ImageBuilder()}, {"tags": tags(STRANGER)}, f"EC2 Image Builder of account {STRANGER}"),
        ({}, {"tags": {**FAMILY, "Ec2ImageBuilderArn": "web"}}, "EC2 Image Builder of an unknown account"),
    ],
)
def test_an_image_whose_policies_are_not_known_is_kept(
    found: dict[str, ImageBuilder], changes: dict[str, Any], detail: str
) -> None:
    given = saw(found, **changes)
    (evidence,) = unknown_policies(wanted(), given).values()
    assert (evidence.subject, evidence.firm) == ("ListLifecyclePolicies", False)
    assert evidence.detail.startswith(detail)
    assert decided(given)["ami-1"] == "keep"
    (decision,) = (one for one in decisions(wanted(), given) if one.ref == REF)
    assert (decision.reasons, decision.evidence) == ((), (evidence,))
    # It may be retired by a policy, so it takes the place of no other.
    newest = saw(found, **changes)
    newest = replace(
        newest,
        regions={
            REGION: region_state(own("ami-1", 0, tags=tags(STRANGER)), own("ami-2", 2), own("ami-3", 1))
        },
    )
    assert decided(newest) == {"ami-1": "keep", "ami-2": "deregister", "ami-3": "keep"}


def test_a_copy_by_this_collection_is_no_output_of_image_builder() -> None:
    copied = tags(**{"golden.images:source": "us-west-2/ami-0"})
    given = saw({HOME: ImageBuilder(unread=DENIED)}, tags=copied)
    assert unknown_policies(wanted(), given) == {}
    assert decided(given)["ami-1"] == "deregister"
