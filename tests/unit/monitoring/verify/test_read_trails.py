# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests for the trails of a region, and what CloudTrail's responses mean."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.read_trails import (
    TrailReads,
    read_trails,
)
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.state import Trail

from tests.unit.wire import Wire

from .examples import ACCOUNT, LOG_GROUP_ARN, REGION, TRAIL, TRAIL_ARN, wanted

HOME = "us-east-1"
OTHER_ARN = f"arn:aws:cloudtrail:{HOME}:999999999999:trail/organization"
EVERYWHERE_ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/everywhere"
SELECTORS = {"EventSelectors": [{"ReadWriteType": "All"}]}


class Regions:
    """A client of CloudTrail in each region."""

    def __init__(self) -> None:
        self.wires = {region: Wire("cloudtrail") for region in (REGION, HOME)}
        self.opened: list[str] = []

    def open(self, service: str, regions: list[str]) -> None:
        assert service == "cloudtrail"
        self.opened += regions

    def client(self, _service: str, region: str) -> Any:
        assert region in self.opened
        return self.wires[region].client

    def read(self, **changes: Any) -> TrailReads:
        """What is read, once all expected calls were made."""
        clients: Any = self
        with ExitStack() as stack:
            for wire in self.wires.values():
                stack.enter_context(wire.spoken())
            return read_trails(clients, wanted(**changes))

    def expect(self, *trails: dict[str, Any]) -> None:
        self.wires[REGION].expect("describe_trails", {}, {"trailList": [*trails]})

    def expect_status(self, arn: str, **status: Any) -> None:
        self.wires[REGION].expect("get_trail_status", {"Name": arn}, {"IsLogging": True, **status})


def trail(arn: str = TRAIL_ARN, **more: Any) -> dict[str, Any]:
    return {"TrailARN": arn, "HomeRegion": REGION, "IsMultiRegionTrail": False, **more}


def test_a_trail_without_selectors_of_its_own_logs_everything() -> None:
    regions = Regions()
    regions.expect(trail(CloudWatchLogsLogGroupArn=LOG_GROUP_ARN, HasCustomEventSelectors=False))
    regions.expect_status(TRAIL_ARN)
    assert regions.read() == TrailReads((TRAIL,))


def test_a_trail_that_was_deleted_since_it_was_listed_hides_no_other() -> None:
    regions = Regions()
    regions.expect(trail(OTHER_ARN), trail(HasCustomEventSelectors=False))
    regions.wires[REGION].refuse("get_trail_status", {"Name": OTHER_ARN}, "TrailNotFoundException")
    regions.expect_status(TRAIL_ARN)
    assert [one.arn for one in regions.read().trails or ()] == [TRAIL_ARN]


def test_selectors_are_read_in_the_home_region() -> None:
    regions = Regions()
    regions.expect(trail(EVERYWHERE_ARN, HomeRegion=HOME, IsMultiRegionTrail=True))
    regions.expect_status(EVERYWHERE_ARN, LatestCloudWatchLogsDeliveryError="Access denied")
    regions.wires[HOME].expect("get_event_selectors", {"TrailName": EVERYWHERE_ARN}, SELECTORS)
    assert regions.read().trails == (Trail(EVERYWHERE_ARN, True, None, "Access denied", SELECTORS),)


def test_selectors_of_another_account_are_not_read() -> None:
    regions = Regions()
    custom = {"HomeRegion": HOME, "IsMultiRegionTrail": True, "IsOrganizationTrail": True}
    regions.expect(
        trail(OTHER_ARN, **custom, HasCustomEventSelectors=True),
        trail(f"{OTHER_ARN}-all", **custom, HasCustomEventSelectors=False),
    )
    regions.expect_status(OTHER_ARN)
    regions.expect_status(f"{OTHER_ARN}-all")
    of_organization, all_events = regions.read().trails or ()
    assert of_organization == Trail(OTHER_ARN, True)
    assert all_events.selectors == {"EventSelectors": [{}]}


def test_a_trail_that_is_not_logging_has_no_selectors_to_read() -> None:
    regions = Regions()
    regions.expect(trail(HasCustomEventSelectors=True), trail(EVERYWHERE_ARN, HasCustomEventSelectors=True))
    regions.wires[REGION].expect("get_trail_status", {"Name": TRAIL_ARN}, {"IsLogging": False})
    # The answer of a proxy.
    regions.wires[REGION].expect("get_trail_status", {"Name": EVERYWHERE_ARN}, {})
    assert [one.is_logging for one in regions.read().trails or ()] == [False, False]


def test_trails_of_other_regions_do_not_count() -> None:
    regions = Regions()
    regions.expect(trail(EVERYWHERE_ARN, HomeRegion=HOME))
    assert regions.read() == TrailReads(())
    regions.wires[REGION].expect("describe_trails", {}, {})
    assert regions.read() == TrailReads(())


def test_a_failed_read_is_a_failure() -> None:
    regions = Regions()
    regions.expect(trail())
    regions.wires[REGION].refuse("get_trail_status", {"Name": TRAIL_ARN}, "AccessDeniedException")
    trails, (failure,) = regions.read()
    assert trails is None
    assert (failure.action, failure.region) == ("GetTrailStatus", REGION)


def test_nothing_is_read_where_no_event_is_expected() -> None:
    assert Regions().read(state="absent") == TrailReads(None)
    assert Regions().read(event_pattern={}) == TrailReads(None)
