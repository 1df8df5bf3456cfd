# SPDX-License-Identifier: GPL-3.0-or-later

"""A parameter that is shared through AWS RAM moves only to an image that its consumers can launch."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Image, Sharing
from ansible_collections.golden.images.plugins.module_utils._parameter_share import sharing_of
from ansible_collections.golden.images.plugins.module_utils._publish.state import Parameter
from ansible_collections.golden.images.plugins.module_utils._recall.parameter_consumers import (
    find_uncovered,
    select_shareable,
)
from ansible_collections.golden.images.plugins.module_utils._recall.plan import RecallPlan, plan
from ansible_collections.golden.images.plugins.module_utils._recall.read_consumers import add_consumers
from ansible_collections.golden.images.plugins.module_utils._recall.state import Unit

from tests.unit.examples import CONSUMER, OWNER, STRANGER
from tests.unit.publish.ram_in_memory import ASSOCIATED, Ram, StoredShare
from tests.unit.recall.examples import (
    AWAY,
    BAD,
    GOOD,
    HERE,
    NAME,
    THERE,
    image,
    options,
    parameter,
    pointer,
    state_of,
    template,
    unit_of,
)

_ORGANIZATIONS = f"arn:aws:organizations::{OWNER}"
ORGANIZATION = f"{_ORGANIZATIONS}:organization/o-a1b2c3d4e5"
UNIT = f"{_ORGANIZATIONS}:ou/o-a1b2c3d4e5/ou-ab12-11111111"
OTHER_UNIT = f"{_ORGANIZATIONS}:ou/o-a1b2c3d4e5/ou-ab12-22222222"
ELSEWHERE = f"{_ORGANIZATIONS}:organization/o-other00000"
UNIT_ELSEWHERE = f"{_ORGANIZATIONS}:ou/o-other00000/ou-cd34-11111111"
PUBLIC = Sharing(public=True)
ARN = f"arn:aws:ssm:{AWAY}:{OWNER}:parameter{NAME}"


@pytest.mark.parametrize(
    ("launch", "consumers", "missing", "undecided"),
    [
        ([CONSUMER], [], [], []),
        ([CONSUMER], [CONSUMER], [], []),
        ([CONSUMER], [CONSUMER, STRANGER], [STRANGER], []),
        # Whether an account is in an organization or in a unit, the ARNs do not tell.
        ([CONSUMER, ORGANIZATION], [CONSUMER, STRANGER], [], [STRANGER]),
        ([UNIT], [CONSUMER], [], [CONSUMER]),
        ([ORGANIZATION], [ORGANIZATION], [], []),
        ([ORGANIZATION], [UNIT], [], []),
        ([UNIT], [UNIT], [], []),
        # A unit may contain another one, and all units make up an organization.
        ([OTHER_UNIT], [UNIT], [], [UNIT]),
        ([UNIT], [ORGANIZATION], [], [ORGANIZATION]),
        # Accounts may be all of an organization or a unit.
        ([CONSUMER], [ORGANIZATION, UNIT], [], [ORGANIZATION, UNIT]),
        ([ELSEWHERE], [ORGANIZATION, UNIT], [ORGANIZATION, UNIT], []),
        ([UNIT_ELSEWHERE], [ORGANIZATION, UNIT], [ORGANIZATION, UNIT], []),
        ([ELSEWHERE], [UNIT_ELSEWHERE], [], []),
    ],
)
def test_a_consumer_is_covered_by_itself_or_its_organization(
    launch: list[str], consumers: list[str], missing: list[str], undecided: list[str]
) -> None:
    found = find_uncovered(sharing_of(launch), sharing_of(consumers))
    assert (found.missing, found.undecided) == ({*missing}, {*undecided})


def test_a_public_image_is_shared_with_all() -> None:
    found = find_uncovered(PUBLIC, sharing_of([CONSUMER, ORGANIZATION, UNIT]))
    assert (found.missing, found.undecided) == (frozenset(), frozenset())


def advanced(*values: str) -> Parameter:
    """A parameter that can be shared, with these values, oldest first."""
    made = parameter(*values)
    return replace(made, versions=tuple(replace(item, tier="Advanced") for item in made.versions))


def shared_unit(launch: Sharing | None, *consumers: str, earlier: Image | None = None) -> Unit:
    """The owner's unit, whose parameter is shared with consumers, and its image with others."""
    images = (earlier,) if earlier else ()
    unit = unit_of(advanced(GOOD, BAD), launch_templates=(), images=images)
    return replace(unit, state=replace(unit.state, launch=launch), consumers=sharing_of(consumers))


def planned(unit: Unit) -> tuple[RecallPlan, list[str]]:
    """The plan of a recall in the owner's account and another one, and the accounts that move."""
    other = unit_of(parameter(GOOD, BAD), target=THERE, launch_templates=())
    found = plan(options(), state_of(unit, other))
    puts = (item for item in found.actions if item.to_dict()["action"] == "PutParameter")
    return found, sorted(item.target.account_id for item in puts)


def test_a_region_whose_image_is_not_shared_with_a_consumer_keeps_its_pointer() -> None:
    consumers = [CONSUMER, *(str(number) for number in range(400000000000, 400000000008))]
    found, moved = planned(shared_unit(Sharing(frozenset({OWNER, CONSUMER})), *consumers))
    assert (moved, found.refusals, found.warnings) == ([CONSUMER], (), ())
    (failure,) = found.failures
    assert (failure.error_code, failure.account_id, failure.region) == (
        "missing_launch_permission",
        OWNER,
        AWAY,
    )
    assert "400000000004 and 3 more" in failure.message
    assert GOOD in failure.message
    assert "recall_require_shared" in failure.remedy
    assert [left.key.target for left in found.left] == [HERE]


def test_a_region_whose_image_is_shared_with_all_consumers_moves() -> None:
    found, moved = planned(shared_unit(sharing_of([CONSUMER, ORGANIZATION]), CONSUMER, UNIT))
    assert (moved, found.failures, found.warnings) == ([CONSUMER, OWNER], (), ())


def test_the_own_permission_of_the_owner_covers_nobody() -> None:
    found, moved = planned(shared_unit(sharing_of([OWNER, ELSEWHERE]), UNIT))
    assert (moved, len(found.failures)) == ([CONSUMER], 1)


@pytest.mark.parametrize(
    ("launch", "owner", "reason"),
    [
        (sharing_of([UNIT]), OWNER, "only AWS Organizations tells"),
        # Nobody else reads the launch permissions of another account's image.
        (None, STRANGER, f"these are not of account {OWNER}"),
    ],
)
def test_what_is_not_decided_moves_with_a_warning(launch: Sharing | None, owner: str, reason: str) -> None:
    found, moved = planned(shared_unit(launch, CONSUMER, earlier=replace(image(GOOD), owner_id=owner)))
    assert (moved, found.failures) == ([CONSUMER, OWNER], ())
    (warning,) = found.warnings
    assert reason in warning
    assert CONSUMER in warning


def test_a_shared_parameter_is_an_advanced_one_of_the_owner_that_moves() -> None:
    moving = unit_of(advanced(GOOD, BAD), launch_templates=())
    put_before = pointer(after=(GOOD, None))
    others = [
        unit_of(parameter(GOOD, BAD), launch_templates=()),
        unit_of(advanced(GOOD, BAD), target=THERE, launch_templates=()),
        unit_of(advanced(BAD), launch_templates=()),
        unit_of(advanced(BAD, GOOD), template(BAD)),
        # An interrupted run has put the value, without its label.
        unit_of(advanced(GOOD, BAD, GOOD), launch_templates=(), recorded=(put_before,)),
    ]
    assert others[-1].pointers
    assert select_shareable(OWNER, [*others, moving]) == [moving]


def with_consumers(ram: Ram, *units: Unit) -> tuple[tuple[Unit, ...], list[str]]:
    """The units as they are read, and the regions of the clients that were opened."""
    opened: list[str] = []
    clients: Any = SimpleNamespace(
        open=lambda _service, regions: opened.extend(regions), client=lambda _service, _region: ram
    )
    return add_consumers(clients, state_of(*units)).units, opened


def share(arn: str, name: str, *principals: str, status: str = ASSOCIATED) -> StoredShare:
    """A resource share with the parameter."""
    return StoredShare(arn, name, dict.fromkeys(principals, status), {ARN: ASSOCIATED})


def test_consumers_are_those_of_all_resource_shares_without_the_owner() -> None:
    own = share("arn:own", "golden-images-golden-web", OWNER, CONSUMER, UNIT)
    other = share("arn:other", "platform", ORGANIZATION)
    left = share("arn:left", "old", STRANGER, status="FAILED")
    ram = Ram([own, other, left])
    moving = unit_of(advanced(GOOD, BAD), launch_templates=())
    there = unit_of(parameter(GOOD, BAD), target=THERE, launch_templates=())
    (read, unread), opened = with_consumers(ram, moving, there)
    assert read == replace(moving, consumers=sharing_of([CONSUMER, UNIT, ORGANIZATION]))
    assert (unread, opened) == (there, [AWAY])
    # Once for the parameter, and once for each resource share.
    assert ram.calls == ["GetResourceShareAssociations"] * 4


def test_a_parameter_that_cannot_be_shared_needs_no_call() -> None:
    ram, unit = Ram(), unit_of(parameter(GOOD, BAD), launch_templates=())
    assert with_consumers(ram, unit) == ((unit,), [])
    assert ram.calls == []


def test_a_region_whose_resource_shares_cannot_be_read_keeps_its_pointer() -> None:
    ram = Ram(refuse={"GetResourceShareAssociations": "AccessDeniedException"})
    (unit,), _opened = with_consumers(ram, unit_of(advanced(GOOD, BAD), launch_templates=()))
    found, moved = planned(unit)
    assert (moved, found.refusals) == ([CONSUMER], ())
    (failure,) = found.failures
    assert (failure.error_code, failure.action, failure.region) == (
        "AccessDeniedException",
        "GetResourceShareAssociations",
        AWAY,
    )
    assert NAME in failure.message
    assert "recall_require_shared" in failure.remedy
