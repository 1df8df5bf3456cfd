# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_publish`` asks AWS of a region, and what it does not ask where it does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole, ImagesByTarget, Target
from ansible_collections.golden.images.plugins.module_utils.publish import read as publish_read
from ansible_collections.golden.images.plugins.module_utils.publish.flow import apply, read_state
from ansible_collections.golden.images.plugins.module_utils.publish.plan import plan
from ansible_collections.golden.images.plugins.module_utils.publish.state import Place, PublishSeen

from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, UNIT, place
from tests.unit.publish.examples import LABEL, NAME, NEW, OLD, REGION, wanted
from tests.unit.publish.test_read_parameters import listed
from tests.unit.wire import Wire

ARN = f"arn:aws:iam::{OWNER}:user/build"
HISTORY = {"Name": NAME, "MaxResults": 50}
PUT = {"Name": NAME, "Value": NEW, "Type": "String", "DataType": "aws:ec2:image", "Overwrite": True}


@pytest.fixture
def sts() -> Iterator[Wire]:
    with Wire("sts").spoken() as wire:
        wire.expect("get_caller_identity", {}, {"UserId": "u", "Account": OWNER, "Arn": ARN})
        yield wire


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


@pytest.fixture
def ssm() -> Iterator[Wire]:
    with Wire("ssm").spoken() as wire:
        yield wire


class Region:
    """The one region of the owner, as it answers."""

    def __init__(self, sts: Wire, ec2: Wire, ssm: Wire) -> None:
        self.ec2, self.ssm = ec2, ssm
        self._clients = SimpleNamespace(
            default_region=REGION,
            open=lambda _service, _regions: None,
            sts=lambda _region: sts.client,
            ec2=lambda _region: ec2.client,
            ssm=lambda _region: ssm.client,
        )

    def seen(self, **changes: Any) -> PublishSeen:
        """All that is seen."""
        return read_state(self._clients, wanted(**changes))  # type: ignore[arg-type]

    def place(self, **changes: Any) -> Place:
        """What is seen of the region."""
        return self.seen(**changes).places[place(REGION)]

    def names(self, *values: str, labels: tuple[str, ...] = ()) -> None:
        """Expect the parameter to be asked for; its versions have these values, the first has the labels."""
        versions = [listed(number, Value=value) for number, value in enumerate(values, start=1)]
        if not versions:
            self.ssm.refuse("get_parameter_history", HISTORY, "ParameterNotFound")
            return
        versions[0].update({"Labels": list(labels)} if labels else {})
        self.ssm.expect("get_parameter_history", HISTORY, {"Parameters": versions})

    def has(self, asked: tuple[str, ...], *found: str, **changes: Any) -> None:
        """Expect these images to be asked for, and find those."""
        request = {
            "Filters": [{"Name": "image-id", "Values": sorted(asked)}],
            "IncludeDisabled": True,
            "IncludeDeprecated": True,
            "MaxResults": 1000,
        }
        images = [
            {"ImageId": one, "OwnerId": OWNER, "State": "available", "Architecture": "arm64", **changes}
            for one in found
        ]
        self.ec2.expect("describe_images", request, {"Images": images})

    def is_shared(self) -> None:
        """Expect the question who may launch the image."""
        request = {"ImageId": NEW, "Attribute": "launchPermission"}
        self.ec2.expect("describe_image_attribute", request, {"LaunchPermissions": [{"UserId": CONSUMER}]})


@pytest.fixture
def region(sts: Wire, ec2: Wire, ssm: Wire) -> Region:
    return Region(sts, ec2, ssm)


def test_a_new_parameter(region: Region) -> None:
    region.names()
    region.has((NEW,), NEW)
    region.is_shared()
    found = region.place(parameter_tags={"a": "b"})
    assert (found.parameter, found.image_id) == (None, NEW)
    assert found.image is not None
    assert found.launch is not None
    assert found.launch.account_ids == {CONSUMER}


def test_the_image_that_is_named_now_is_asked_for_too(region: Region) -> None:
    region.names(OLD)
    region.ssm.expect(
        "list_tags_for_resource",
        {"ResourceType": "Parameter", "ResourceId": NAME},
        {"TagList": [{"Key": "a", "Value": "b"}]},
    )
    region.has((NEW, OLD), NEW, OLD)
    region.is_shared()
    found = region.place(parameter_tags={"a": "c"})
    assert {*found.named} == {NEW, OLD}
    assert found.parameter is not None
    assert found.parameter.tags == {"a": "b"}


@pytest.mark.parametrize(
    ("named", "found", "changes"),
    [
        # Nobody is pointed to it anew.
        (NEW, {}, {}),
        (OLD, {}, {"require_shared": False}),
        # Its owner alone is told, and only what is available can be shared.
        (OLD, {"OwnerId": STRANGER}, {}),
        (OLD, {"State": "pending"}, {}),
    ],
)
def test_who_may_launch_it_is_not_asked_where_it_does_not_matter(
    region: Region, named: str, found: dict[str, str], changes: dict[str, Any]
) -> None:
    region.names(named)
    region.has(tuple({NEW, named}), NEW, **found)
    assert region.place(**changes).launch is None


def test_the_image_to_go_back_to_is_found_by_its_label(region: Region) -> None:
    region.names(NEW, OLD, labels=(LABEL,))
    region.has((NEW, OLD), NEW)
    region.is_shared()
    back = {"images": None, "regions": (REGION,), "source_image_id": SOURCE_ID}
    assert region.place(**back).image_id == NEW


def test_without_label_or_image_there_is_none(region: Region) -> None:
    region.names("text")
    back = {"images": None, "regions": (REGION,), "source_image_id": SOURCE_ID}
    assert region.place(**back).image_id is None


def test_of_a_planned_copy_the_source_is_read(region: Region) -> None:
    region.names()
    request = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}
    image = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "Architecture": "arm64"}
    region.ec2.expect("describe_images", request, {"Images": [image]})
    planned = ImagesByTarget({(None, REGION): None})
    seen = region.seen(images=planned, source_image_id=SOURCE_ID, source_region=SOURCE_REGION)
    assert seen.source is not None
    assert seen.source.architecture == "arm64"


def codes(region: Region, **changes: Any) -> list[tuple[str, str | None, str | None]]:
    with pytest.raises(Refused) as caught:
        region.seen(**changes)
    return [(one.error_code, one.account_id, one.region) for one in caught.value.failures]


def test_what_cannot_be_read_is_refused(region: Region) -> None:
    region.ssm.refuse("get_parameter_history", HISTORY, "AccessDeniedException")
    assert codes(region) == [("AccessDeniedException", OWNER, REGION)]


@pytest.mark.parametrize(("account_id", "told"), [(OWNER, False), (CONSUMER, True)])
def test_a_failure_in_another_account_names_it(
    sts: Wire, ec2: Wire, ssm: Wire, account_id: str, told: bool
) -> None:
    here = SimpleNamespace(
        default_region=REGION,
        open=lambda _service, _regions: None,
        sts=lambda _region: sts.client,
        ec2=lambda _region: ec2.client,
        ssm=lambda _region: ssm.client,
        with_role=lambda *_: here,
    )
    images = ImagesByTarget({(account_id, REGION): NEW})
    role = ConsumerRole("golden-consumer")
    ssm.refuse("get_parameter_history", HISTORY, "ParameterNotFound")
    ec2.expect(
        "describe_images", IMAGES, {"Images": [{"ImageId": NEW, "OwnerId": STRANGER, "State": "available"}]}
    )
    want = wanted(images=images, consumer_role=role)
    seen = read_state(here, want)  # type: ignore[arg-type]
    ssm.refuse("put_parameter", PUT, "ParameterLimitExceeded", "No more.")
    outcome = apply(here, want, seen, plan(want, seen), str)  # type: ignore[arg-type]
    (failure,) = outcome.failures
    assert failure.message == (f"In account {CONSUMER}: No more." if told else "No more.")
    assert outcome.performed == ()


def test_an_account_without_a_role_is_refused(region: Region) -> None:
    assert [code for code, _, _ in codes(region, account_ids=(CONSUMER,))] == ["missing_consumer_role"]


def test_an_account_for_which_there_is_no_image_is_refused(region: Region) -> None:
    abroad = ImagesByTarget({(STRANGER, REGION): NEW})
    assert codes(region, images=abroad, account_ids=(CONSUMER,)) == [("invalid_option", None, None)]


class Abroad:
    """The owner's EC2, and another account's EC2 and Parameter Store, one call after the other."""

    def __init__(self, owner: Wire, ec2: Wire, ssm: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        self.owner, self.ec2, self.ssm = owner, ec2, ssm
        self.now = 0.0
        monkeypatch.setattr(publish_read, "monotonic", lambda: self.now)
        monkeypatch.setattr(publish_read, "sleep", self.pass_time)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def shared_with(self, *entries: dict[str, str]) -> None:
        """Expect the owner to be asked who may launch the image."""
        request = {"ImageId": NEW, "Attribute": "launchPermission"}
        self.owner.expect("describe_image_attribute", request, {"LaunchPermissions": list(entries)})

    def shows(self, found: bool) -> None:
        """Expect the account to be asked for the image."""
        image = {"ImageId": NEW, "OwnerId": OWNER, "State": "available"}
        self.ec2.expect("describe_images", IMAGES, {"Images": [image] if found else []})

    def place(self, **changes: Any) -> Place:
        """What the account sees."""
        self.ssm.refuse("get_parameter_history", HISTORY, "ParameterNotFound")
        here = SimpleNamespace(ec2=lambda _region: self.ec2.client, ssm=lambda _region: self.ssm.client)
        owner = SimpleNamespace(ec2=lambda _region: self.owner.client)
        target = Target(CONSUMER, REGION)
        return publish_read.read_place(here, owner, wanted(**changes), target, NEW)  # type: ignore[arg-type]


IMAGES = {
    "Filters": [{"Name": "image-id", "Values": [NEW]}],
    "IncludeDisabled": True,
    "IncludeDeprecated": True,
    "MaxResults": 1000,
}


@pytest.fixture
def abroad(ec2: Wire, ssm: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Abroad]:
    with Wire("ec2").spoken() as owner:
        yield Abroad(owner, ec2, ssm, monkeypatch)


@pytest.mark.parametrize(
    "entry",
    [{"UserId": CONSUMER}, {"Group": "all"}, {"OrganizationArn": ORG}, {"OrganizationalUnitArn": UNIT}],
)
def test_what_was_just_shared_is_waited_for(abroad: Abroad, entry: dict[str, str]) -> None:
    abroad.shows(False)
    abroad.shared_with(entry)
    abroad.shows(False)
    abroad.shows(True)
    assert abroad.place().image is not None
    assert abroad.now == 4


def test_not_for_ever(abroad: Abroad) -> None:
    abroad.shows(False)
    abroad.shared_with({"UserId": CONSUMER})
    for _ in range(15):
        abroad.shows(False)
    assert abroad.place().image is None
    assert abroad.now == 30


def test_what_is_not_shared_or_gone_is_not_waited_for(abroad: Abroad) -> None:
    abroad.shows(False)
    abroad.shared_with({"UserId": STRANGER})
    assert abroad.place().image is None
    abroad.shows(False)
    request = {"ImageId": NEW, "Attribute": "launchPermission"}
    abroad.owner.refuse("describe_image_attribute", request, "InvalidAMIID.Unavailable")
    assert abroad.place().image is None
    abroad.shows(False)
    assert abroad.place(as_if_shared=True).image is None
    assert abroad.now == 0
