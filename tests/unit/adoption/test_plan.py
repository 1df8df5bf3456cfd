# SPDX-License-Identifier: GPL-3.0-or-later

"""Which uses lag behind, the findings about them, and that what was not read never looks fine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.plan import sum_up
from ansible_collections.golden.images.plugins.module_utils._adoption.read_uses import LAUNCHERS
from ansible_collections.golden.images.plugins.module_utils._adoption.result import list_left_out
from ansible_collections.golden.images.plugins.module_utils._adoption.state import (
    INSTANCE,
    INSTANCES,
    OF_SOME_VERSION,
    REPORTED,
    REPORTED_INSTANCE,
    AdoptionState,
    ImageUse,
    Look,
    UsedImage,
)
from ansible_collections.golden.images.plugins.module_utils._finding import Severity
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, ScanResults, Target
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

from tests.unit.adoption.examples import (
    CONSUMER,
    EU,
    MIDDLE,
    NEW,
    NEW_US,
    OF_AMAZON,
    OLD,
    OLD_US,
    OTHER_CONSUMER,
    OWNER,
    US,
    ago,
    marked,
    options,
    own,
    planned,
    refused,
    state,
    three_releases,
    used,
)

# Of some kinds in usage reports, launches may not take the version that names the image.
KINDS = (INSTANCE, *(source.kind for source in LAUNCHERS), REPORTED, REPORTED_INSTANCE)
GONE, COPY, COPY_OF_COPY = (ImageRef(EU, f"ami-0000{name}") for name in ("dead", "00c1", "00c2"))
BASE, BASE_US, MADE, MADE_US = (
    ImageRef(*place)
    for place in (
        (EU, "ami-0000ba5e"),
        (US, "ami-000ba5e1"),
        (EU, "ami-00003ade"),
        (US, "ami-0003ade1"),
    )
)
OF_NO_FAMILY = {
    BASE: own(BASE.image_id, 50, tags={}),
    BASE_US: own(BASE_US.image_id, 49, BASE, tags={}),
    MADE: own(MADE.image_id, 40, tags={}, base=BASE_US),
    MADE_US: own(MADE_US.image_id, 39, MADE, tags={}),
    GONE: own(GONE.image_id, 39, tags={}),
}


def accounts(current: AdoptionState, **given: Any) -> list[tuple[str, str]]:
    """Account and status, in their order."""
    return [
        (one.account_id, one.status) for one in sum_up(current, planned(current, **given).judged, INSTANCES)
    ]


def codes(current: AdoptionState, **given: Any) -> list[str]:
    """The codes of the findings."""
    return [finding.code for finding in planned(current, **given).findings]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ref", "behind", "since"), [(OLD, 2, 30), (OLD_US, 2, 30), (MIDDLE, 1, 2)])
def test_each_kind_of_use_alone_puts_an_account_behind(
    kind: str, ref: ImageRef, behind: int, since: float
) -> None:
    current = state(used(NEW), used(ref, kind))
    assert accounts(current) == [(CONSUMER, "behind")]
    (worst,) = [one for one in planned(current).judged if one.is_behind]
    assert (worst.behind, worst.behind_since) == (behind, ago(days=since))
    # Once it is removed, nothing of it is left.
    assert accounts(state(used(NEW))) == [(CONSUMER, "current")]


@pytest.mark.parametrize("kind", OF_SOME_VERSION)
def test_a_use_by_some_version_of_an_old_release_is_not_known_to_be_behind(kind: str) -> None:
    current = state(used(NEW), used(OLD, kind))
    assert accounts(current) == [(CONSUMER, "unknown")]
    assert [one.is_behind for one in planned(current).judged] == [False, False]


@pytest.mark.parametrize(
    ("uses", "status"),
    [
        ([], "unused"),
        ([used(NEW), used(NEW_US)], "current"),
        ([used(NEW), used(GONE)], "unknown"),
        ([used(NEW), used(GONE, owner_id=CONSUMER)], "unknown"),
        ([used(GONE, **OF_AMAZON)], "unused"),
        ([used(OLD), used(GONE)], "behind"),
    ],
)
def test_the_status_of_an_account(uses: list[ImageUse], status: str) -> None:
    assert accounts(state(*uses)) == [(CONSUMER, status)]


@pytest.mark.parametrize("uses", [[], [used(NEW)], [used(GONE)]])
def test_an_account_that_was_not_wholly_read_is_unreadable(uses: list[ImageUse]) -> None:
    """Neither current nor unused, whatever was read in its other regions."""
    failure = refused(CONSUMER, US)
    read = state(*uses)
    unread = AdoptionState(
        read.now,
        read.catalog,
        {target: look for target, look in read.looks.items() if target.region != US},
        {Target(CONSUMER, US): failure},
    )
    partly = AdoptionState(
        read.now, read.catalog, {**read.looks, Target(CONSUMER, US): Look(failures=(failure,))}
    )
    for current in (unread, partly):
        assert accounts(current) == [(CONSUMER, "unreadable")]
        assert "adoption_unreadable" in codes(current)
        assert planned(current).failures == (failure,)
        (summed,) = sum_up(current, planned(current).judged, INSTANCES)
        assert summed.unread == (US,)


def test_an_account_stays_behind_if_another_region_is_unread() -> None:
    current = state(used(OLD), unread={Target(CONSUMER, "ap-south-1"): refused(CONSUMER, "ap-south-1")})
    (summed,) = sum_up(current, planned(current).judged, INSTANCES)
    assert (summed.status, summed.unread, summed.regions) == ("behind", ("ap-south-1",), (EU,))


def test_a_role_that_cannot_be_assumed_is_one_failure_of_the_account() -> None:
    unread = {
        Target(OTHER_CONSUMER, region): refused(OTHER_CONSUMER, region, "AssumeRole") for region in (EU, US)
    }
    current = state(used(NEW), unread=unread)
    found = planned(current)
    assert [(one.account_id, one.region) for one in found.failures] == [(OTHER_CONSUMER, None)]
    assert [(one.code, one.account_id) for one in found.findings] == [("adoption_unreadable", OTHER_CONSUMER)]
    assert accounts(current) == [(OTHER_CONSUMER, "unreadable"), (CONSUMER, "current")]


def test_the_worst_account_comes_first() -> None:
    behind = state(used(MIDDLE, number=50)).looks[Target(CONSUMER, EU)]
    current = state(used(OLD), others={Target(OTHER_CONSUMER, EU): behind})
    assert accounts(current) == [(CONSUMER, "behind"), (OTHER_CONSUMER, "behind")]
    (first, second) = sum_up(current, planned(current).judged, INSTANCES)
    assert (first.behind, second.behind) == (1, 50)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"max_releases_behind": 2}, []),
        ({"max_releases_behind": 1}, ["release_too_far_behind"]),
        ({"max_age_days": 90}, []),
        ({"max_age_days": 89}, ["release_too_old"]),
        ({"deny_images": (OLD.image_id,)}, ["denied_image_used"]),
        # All copies of an image are the same release.
        ({"deny_images": (OLD_US.image_id,)}, ["denied_image_used"]),
        ({"deny_images": (NEW.image_id,)}, []),
        ({"max_releases_behind": 0, "max_age_days": 1}, ["release_too_far_behind", "release_too_old"]),
    ],
)
def test_the_findings_about_an_old_release(given: dict[str, Any], expected: list[str]) -> None:
    current = state(used(OLD, number=5))
    assert sorted(codes(current, **given)) == expected
    for finding in planned(current, **given).findings:
        assert (finding.account_id, finding.region, finding.image_id) == (CONSUMER, EU, OLD.image_id)
        assert "5 instances (i-010, i-011, i-012 and 2 more)" in finding.message
        assert NEW.image_id in finding.remedy


def test_uses_in_several_regions_are_one_finding_of_the_account() -> None:
    current = state(used(OLD, number=2), used(OLD_US), used(OLD_US, "launch_template"))
    (finding,) = planned(current, max_releases_behind=0).findings
    assert (finding.account_id, finding.region) == (CONSUMER, "")
    assert f"Account {CONSUMER} in 2 regions: 3 instances" in finding.message
    assert "1 launch template (" in finding.message
    assert finding.remedy == "Change them, so that they launch web-3 there, and replace instances."


def test_the_remedy_where_the_region_lacks_the_current_release() -> None:
    images = three_releases()
    del images[NEW_US]
    (finding,) = planned(state(used(OLD_US), images=images), max_releases_behind=0).findings
    assert finding.remedy == f"Distribute web-3 ({NEW.image_id}) to {US}, then replace them."


def test_a_denied_image_of_somebody_else_is_a_finding_and_puts_the_account_behind() -> None:
    current = state(used(GONE, **OF_AMAZON))
    (finding,) = planned(current, deny_images=(GONE.image_id,)).findings
    assert finding.code == "denied_image_used"
    assert finding.remedy.startswith("Replace what the finding names by the current release of the family.")
    assert accounts(current, deny_images=(GONE.image_id,)) == [(CONSUMER, "behind")]


@pytest.mark.parametrize(
    "image",
    [
        {"owner_id": OWNER, "state": "deregistered"},
        {"owner_id": CONSUMER},
        {"owner_id": "", "state": ""},
        OF_AMAZON,
    ],
)
def test_a_denied_image_counts_as_behind_whatever_else_is_known_of_it(image: dict[str, str]) -> None:
    current = state(used(GONE, number=40, **image))
    (summed,) = sum_up(current, planned(current, deny_images=(GONE.image_id,)).judged, INSTANCES)
    assert (summed.status, summed.behind, summed.total) == ("behind", 40, 40)


@pytest.mark.parametrize(
    ("changes", "withdrawn"),
    [
        ({"state": "disabled"}, "disabled"),
        ({"deprecation_time": "2026-11-01T00:00:00.000Z"}, "deprecated"),
    ],
)
def test_a_withdrawn_release_is_a_finding_even_if_it_is_the_newest(
    changes: dict[str, str], withdrawn: str
) -> None:
    current = state(used(NEW), images=three_releases(new=changes))
    (finding,) = planned(current).findings
    assert finding.code == "withdrawn_release_used"
    assert f"which is {withdrawn}" in finding.message
    assert accounts(current) == [(CONSUMER, "behind")]
    # The release before it is the current one.
    assert accounts(state(used(MIDDLE), images=three_releases(new=changes))) == [(CONSUMER, "current")]


@pytest.mark.parametrize("ref", [NEW, NEW_US])
def test_a_recalled_release_is_a_worse_finding_in_each_region(ref: ImageRef) -> None:
    images = three_releases(new={"tags": {"family": "web", RECALLED_TAG: "2026-11-24T10:00:00Z"}})
    (finding,) = planned(state(used(ref), images=images)).findings
    assert (finding.code, finding.severity) == ("recalled_release_used", Severity.HIGH)
    assert "which was recalled." in finding.message
    # The release before it is the current one, which only one region has.
    by_region = {
        NEW.region: f"Replace them with instances of {MIDDLE.image_id} (web-2).",
        NEW_US.region: f"Distribute web-2 ({MIDDLE.image_id}) to {US}, then replace them.",
    }
    assert finding.remedy == by_region[ref.region]


@pytest.mark.parametrize(
    "image",
    [
        {"state": "deregistered"},
        {"deprecated": ago(days=1)},
    ],
)
def test_an_image_that_only_the_account_sees_is_withdrawn(image: dict[str, Any]) -> None:
    copy = ImageRef(EU, "ami-000000c1")
    use = ImageUse("instance", UsedImage(copy, owner_id=CONSUMER, **image), 1)
    assert codes(state(use, origins={copy: NEW})) == ["withdrawn_release_used"]


@pytest.mark.parametrize(("severity", "found"), [("CRITICAL", True), ("High", True), ("MEDIUM", False)])
def test_what_inspector_has_found(severity: str, found: bool) -> None:
    images = three_releases(new={"scan": ScanResults(highest_severity=severity)})
    assert (codes(state(used(NEW), images=images)) == ["vulnerable_release_used"]) is found


@pytest.mark.parametrize(
    ("fail_on", "failed"),
    [
        (None, set()),
        # The image of unknown origin may come from the denied one.
        (Severity.HIGH, {"denied_image_used", "image_origin_unknown"}),
        (Severity.MEDIUM, {"denied_image_used", "image_origin_unknown", "release_too_old"}),
        (Severity.LOW, {"denied_image_used", "image_origin_unknown", "release_too_old"}),
    ],
)
def test_findings_fail_the_task_from_a_severity_on(fail_on: Severity | None, failed: set[str]) -> None:
    current = state(used(OLD), used(GONE, owner_id=CONSUMER))
    found = planned(current, fail_on=fail_on, max_age_days=1, deny_images=(OLD.image_id,))
    assert {failure.error_code for failure in found.failures} == failed


def test_an_owner_that_cannot_be_read_is_one_of_the_accounts() -> None:
    current = state(unread={Target(OWNER, EU): refused(OWNER, EU)})
    (finding,) = planned(current).findings
    assert finding.message.startswith(f"What account {OWNER} uses in {EU} could not be read")
    (finding,) = planned(replace(current, unread={}, report_failures=(refused(OWNER, EU),))).findings
    assert finding.message.startswith(f"What the accounts use in {EU} could not be read")


@pytest.mark.parametrize("owner_id", ["", OWNER])
def test_a_launch_of_the_deregistered_first_image_of_the_current_release_is_behind(owner_id: str) -> None:
    images = three_releases()
    del images[NEW]
    use = used(NEW, "launch_template", owner_id=owner_id, state="")
    (finding,) = planned(state(use, images=images)).findings
    assert finding.code == "withdrawn_release_used"
    assert "which is deregistered." in finding.message
    assert accounts(state(use, images=images)) == [(CONSUMER, "behind")]


def test_a_release_that_a_late_copy_is_left_of_is_not_the_current_one() -> None:
    images = three_releases()
    del images[OLD], images[NEW_US]
    images[OLD_US] = own(OLD_US.image_id, 0.1, OLD)
    assert accounts(state(used(OLD_US), images=images)) == [(CONSUMER, "behind")]
    assert accounts(state(used(NEW), images=images)) == [(CONSUMER, "current")]


SEVERE = {"scan": ScanResults(highest_severity="CRITICAL")}
NONE_FIXED = f"Distribute a fixed release first: web-3 ({NEW.image_id}) {{why}}. Then replace them by it."


@pytest.mark.parametrize(
    ("given", "changed", "remedy"),
    [
        (
            {"deny_images": (OLD.image_id, NEW.image_id)},
            {},
            f"Replace them with instances of {MIDDLE.image_id} (web-2).",
        ),
        (
            {"deny_images": (OLD.image_id,)},
            {"new": SEVERE},
            f"Replace them with instances of {MIDDLE.image_id} (web-2).",
        ),
        (
            {"deny_images": (OLD.image_id, MIDDLE.image_id, NEW.image_id)},
            {},
            NONE_FIXED.format(why="is denied"),
        ),
        (
            {"deny_images": (OLD.image_id,)},
            {"new": SEVERE, "middle": SEVERE},
            NONE_FIXED.format(why="has findings of Amazon Inspector"),
        ),
    ],
)
def test_the_remedy_names_no_denied_or_vulnerable_release(
    given: dict[str, Any], changed: dict[str, Any], remedy: str
) -> None:
    images = three_releases(**changed)
    (finding,) = planned(state(used(OLD), images=images, **given), **given).findings
    assert finding.remedy == remedy


@pytest.mark.parametrize(
    ("use", "denied", "said"),
    [
        (used(OLD), OLD, f"web-1 ({OLD.image_id}), which deny_images names."),
        (used(OLD), OLD_US, f"web-1 ({OLD.image_id}), which deny_images names."),
        (used(COPY, owner_id=CONSUMER), OLD, f"web-1 ({OLD.image_id}), which deny_images names."),
        (used(MADE_US), BASE, "which was copied or made from {denied}, which deny_images names."),
        (
            used(NEW, watermarks=(marked(OLD),)),
            OLD,
            "which was copied or made from {denied}, which deny_images names.",
        ),
    ],
)
def test_what_was_made_from_a_denied_image_is_not_called_denied_itself(
    use: ImageUse, denied: ImageRef, said: str
) -> None:
    given = {"deny_images": (denied.image_id,)}
    images = {**three_releases(), **OF_NO_FAMILY}
    (finding,) = planned(state(use, images=images, origins={COPY: OLD}, **given), **given).findings
    assert finding.message.endswith(said.format(denied=denied.image_id))
    assert finding.code == "denied_image_used"


def test_it_is_not_known_which_of_several_releases_without_a_date_is_current() -> None:
    images = {OLD_US: own(OLD_US.image_id, 89, OLD), NEW_US: own(NEW_US.image_id, 1, NEW)}
    current = state(used(NEW_US), images=images)
    assert accounts(current) == [(CONSUMER, "unknown")]
    (finding,) = planned(current).findings
    assert (finding.code, finding.severity) == ("release_unknown", Severity.MEDIUM)
    assert "nothing tells which one is current" in finding.message
    assert "golden.images:origin-created" in finding.remedy
    assert accounts(current, deny_images=(NEW_US.image_id,)) == [(CONSUMER, "behind")]
    (sentence,) = [one for one in list_left_out(options(), current) if "creation date" in one]
    assert OLD.image_id in sentence
    assert NEW.image_id in sentence
    # The only release of a family is the current one.
    assert accounts(state(used(NEW_US), images={NEW_US: images[NEW_US]})) == [(CONSUMER, "current")]


def test_the_remedy_names_no_withdrawn_image() -> None:
    images = three_releases()
    images[NEW] = own(NEW.image_id, 2, state="disabled")
    (finding,) = planned(state(used(OLD), images=images), max_releases_behind=0).findings
    assert finding.remedy == f"Distribute web-3 ({NEW.image_id}) to {EU}, then replace them."
    (finding,) = planned(state(used(OLD_US), images=images), max_releases_behind=0).findings
    assert finding.remedy == f"Replace them with instances of {NEW_US.image_id} (web-3)."


@pytest.mark.parametrize(
    "origins",
    [
        pytest.param({COPY: GONE}, id="copy of an image that is not of the account"),
        pytest.param({COPY: COPY_OF_COPY, COPY_OF_COPY: GONE, GONE: None}, id="copy of a copy"),
    ],
)
@pytest.mark.parametrize("ref", [COPY, GONE])
def test_a_copy_of_a_denied_image_is_denied(ref: ImageRef, origins: dict[ImageRef, ImageRef | None]) -> None:
    current = state(used(ref, owner_id=CONSUMER), origins=origins)
    assert codes(current, deny_images=(GONE.image_id,)) == ["denied_image_used"]
    assert accounts(current, deny_images=(GONE.image_id,)) == [(CONSUMER, "behind")]


@pytest.mark.parametrize("denied", [BASE, BASE_US])
@pytest.mark.parametrize("ref", [BASE, BASE_US, MADE, MADE_US])
def test_an_image_of_the_owner_of_no_family_is_denied_with_copies_and_what_was_made_from_it(
    denied: ImageRef, ref: ImageRef
) -> None:
    given = {"deny_images": (denied.image_id,)}
    current = state(used(ref), images={**three_releases(), **OF_NO_FAMILY}, **given)
    assert codes(current, **given) == ["denied_image_used"]
    assert accounts(current, **given) == [(CONSUMER, "behind")]
    other = state(used(GONE), images={**three_releases(), **OF_NO_FAMILY}, **given)
    assert codes(other, **given) == []


def test_a_release_that_was_made_from_a_denied_image_is_denied() -> None:
    given = {"deny_images": (BASE.image_id,)}
    images = {**three_releases(), **OF_NO_FAMILY, NEW: own(NEW.image_id, 2, base=BASE)}
    assert codes(state(used(NEW_US), images=images, **given), **given) == ["denied_image_used"]
    assert codes(state(used(MIDDLE), images=images, **given), **given) == []


@pytest.mark.parametrize("owner_id", [CONSUMER, OF_AMAZON["owner_id"]])
def test_a_watermark_tells_that_an_image_comes_from_a_denied_one(owner_id: str) -> None:
    given = {"deny_images": (GONE.image_id,)}
    current = state(used(COPY, owner_id=owner_id, watermarks=(marked(GONE, "999988887777:base"),)))
    assert codes(current, **given) == ["denied_image_used"]
    images = {**three_releases(), COPY: own(COPY.image_id, 2, tags={}, watermarks=(marked(GONE),))}
    assert codes(state(used(COPY), images=images, **given), **given) == ["denied_image_used"]


def test_an_image_made_from_a_denied_copy_of_a_release_is_denied() -> None:
    current = state(used(COPY, owner_id=CONSUMER), origins={COPY: COPY_OF_COPY, COPY_OF_COPY: NEW})
    assert codes(current, deny_images=(COPY_OF_COPY.image_id,)) == ["denied_image_used"]


@pytest.mark.parametrize(
    ("given", "severity"), [({}, Severity.LOW), ({"deny_images": (OLD.image_id,)}, Severity.HIGH)]
)
def test_an_image_of_unknown_origin_is_as_bad_as_the_denied_one_that_it_may_come_from(
    given: dict[str, Any], severity: Severity
) -> None:
    current = state(used(COPY, owner_id=OTHER_CONSUMER), **given)
    (finding,) = planned(current, **given).findings
    assert (finding.code, finding.severity) == ("image_origin_unknown", severity)
    assert accounts(current, **given) == [(CONSUMER, "unknown")]
    failed = planned(current, fail_on=Severity.HIGH, **given).failures
    assert [failure.error_code for failure in failed] == (["image_origin_unknown"] if given else [])


def test_an_image_that_the_owner_has_no_more_is_as_bad_as_the_denied_one_that_it_may_be_a_copy_of() -> None:
    current = state(used(GONE))
    assert [one.severity for one in planned(current).findings] == [Severity.MEDIUM]
    given = {"deny_images": (OLD.image_id,)}
    assert [one.severity for one in planned(state(used(GONE), **given), **given).findings] == [Severity.HIGH]
