# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_publish`` reads in a region, and which reads it leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import attempts
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import ImagesByTarget, Target
from ansible_collections.golden.images.plugins.module_utils.publish import read as publish_read
from ansible_collections.golden.images.plugins.module_utils.publish.state import TargetSeen

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, MARK, ORG, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, UNIT
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
)
from tests.unit.publish.examples import (
    HISTORY,
    IMAGES,
    Region,
    listed,
    wanted,
)
from tests.unit.wire import Wire

ROLLBACK: dict[str, Any] = {"images": None, "regions": (REGION,), "source_image_id": SOURCE_ID}
T3 = {"InstanceType": "t3.micro"}
HIBERNATES = {"HibernationOptions": {"Configured": True}}
MARKED = [{"Key": key, "Value": value} for key, value in MARK.items()]
ARN = f"arn:aws:iam::{OWNER}:user/build"


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


@pytest.fixture
def region(sts: Wire, ec2: Wire, ssm: Wire) -> Region:
    return Region(sts, ec2, ssm)


def test_a_new_parameter(region: Region) -> None:
    region.names()
    region.has((NEW,), NEW)
    region.is_shared()
    found = region.target_seen(parameter_tags={"a": "b"})
    assert (found.parameter, found.image_id) == (None, NEW)
    assert found.image is not None
    assert found.launch is not None
    assert found.launch.account_ids == {CONSUMER}


def test_the_currently_published_image_is_read_too(region: Region) -> None:
    region.names(OLD)
    region.ssm.expect(
        "list_tags_for_resource",
        {"ResourceType": "Parameter", "ResourceId": NAME},
        {"TagList": [{"Key": "a", "Value": "b"}]},
    )
    region.has((NEW, OLD), NEW, OLD)
    region.is_shared()
    found = region.target_seen(parameter_tags={"a": "c"})
    assert {*found.named} == {NEW, OLD}
    assert found.parameter is not None
    assert found.parameter.tags == {"a": "b"}


@pytest.mark.parametrize(
    ("named", "found", "changes"),
    [
        # Already published.
        (NEW, {}, {}),
        (OLD, {}, {"require_shared": False}),
        # Only the owner can read it, and only an available image can be shared.
        (OLD, {"OwnerId": STRANGER}, {}),
        (OLD, {"State": "pending"}, {}),
    ],
)
def test_launch_permissions_are_read_only_if_needed(
    region: Region, named: str, found: dict[str, str], changes: dict[str, Any]
) -> None:
    region.names(named)
    region.has(tuple({NEW, named}), NEW, **found)
    assert region.target_seen(**changes).launch is None


def test_the_image_of_a_rollback_is_found_by_its_label(region: Region) -> None:
    region.names(NEW, OLD, labels=(LABEL,))
    region.has((NEW, OLD), NEW)
    region.is_shared()
    assert region.target_seen(**ROLLBACK).image_id == NEW


def test_a_rollback_to_the_source_itself_does_not_need_its_label(region: Region) -> None:
    # It was published with the label of the image that it is a copy of.
    region.names(SOURCE_ID, OLD, labels=("source-ami-0000000000000000c",))
    region.has((SOURCE_ID, OLD), SOURCE_ID)
    found = region.target_seen(**ROLLBACK, require_shared=False)
    assert found.image_id == SOURCE_ID
    assert found.image is not None


@pytest.mark.parametrize(
    ("versions", "label"),
    [(2, (LABEL,)), pytest.param(100, (), id="interrupted, without its label")],
)
def test_a_rollback_to_a_copy_goes_before_one_to_the_source_itself(
    region: Region, versions: int, label: tuple[str, ...]
) -> None:
    region.names(NEW, *[SOURCE_ID] * (versions - 1), labels=label)
    region.has((NEW, SOURCE_ID), NEW, Tags=MARKED)
    assert region.target_seen(**ROLLBACK, require_shared=False).image_id == NEW


def test_a_rollback_without_the_label_has_no_image(region: Region) -> None:
    region.names("text")
    assert region.target_seen(**ROLLBACK).image_id is None


BEFORE_PUT, AFTER_PUT = (NEW, *[OLD] * 99), (*[OLD] * 99, NEW)


@pytest.mark.parametrize("values", [BEFORE_PUT, AFTER_PUT])
def test_an_interrupted_rollback_is_found_without_its_label(region: Region, values: tuple[str, ...]) -> None:
    region.names(*values)
    region.has((NEW, OLD), NEW, Tags=MARKED)
    assert region.target_seen(**ROLLBACK, require_shared=False).image_id == NEW


@pytest.mark.parametrize(
    ("values", "label", "tags"),
    [
        pytest.param((NEW, *[OLD] * 98), "", MARKED, id="fewer versions"),
        pytest.param(BEFORE_PUT, "prod", MARKED, id="another label"),
        pytest.param(BEFORE_PUT, "", [], id="another source"),
    ],
)
def test_no_rollback_to_another_image(
    region: Region, values: tuple[str, ...], label: str, tags: list[dict[str, str]]
) -> None:
    region.names(*values, labels=(label,) if label else ())
    region.has((NEW, OLD) if values == BEFORE_PUT and not label else (OLD,), NEW, Tags=tags)
    assert region.target_seen(**ROLLBACK).image_id is None


SOURCE_REQUEST = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}


@pytest.mark.parametrize(
    ("code", "refused"),
    [("UnauthorizedOperation", "UnauthorizedOperation"), ("InvalidAMIID.NotFound", "image_not_found")],
)
def test_a_planned_copy_is_refused_without_its_source(region: Region, code: str, refused: str) -> None:
    region.names()
    region.ec2.refuse("describe_images", SOURCE_REQUEST, code)
    planned = ImagesByTarget({(None, REGION): None})
    with pytest.raises(Refused) as caught:
        region.seen(images=planned, source_image_id=SOURCE_ID, source_region=SOURCE_REGION)
    (failure,) = caught.value.failures
    assert (failure.region, failure.error_code) == (SOURCE_REGION, refused)


def test_the_source_of_a_planned_copy_is_read(region: Region) -> None:
    region.names()
    image = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "Architecture": "arm64"}
    region.ec2.expect("describe_images", SOURCE_REQUEST, {"Images": [image]})
    planned = ImagesByTarget({(None, REGION): None})
    seen = region.seen(images=planned, source_image_id=SOURCE_ID, source_region=SOURCE_REGION)
    assert seen.source is not None
    assert seen.source.architecture == "arm64"


class Abroad:
    """The owner's EC2, and another account's EC2 and Parameter Store, with scripted answers."""

    def __init__(self, owner: Wire, ec2: Wire, ssm: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        self.owner, self.ec2, self.ssm = owner, ec2, ssm
        self._clock = Clock.of(monkeypatch, attempts)
        self._started = self._clock.now

    @property
    def waited(self) -> float:
        """The seconds that have passed."""
        return self._clock.now - self._started

    def shared_with(self, *entries: dict[str, str]) -> None:
        """Expect a read of the launch permissions by the owner."""
        request = {"ImageId": NEW, "Attribute": "launchPermission"}
        self.owner.expect("describe_image_attribute", request, {"LaunchPermissions": list(entries)})

    def shows(self, found: bool) -> None:
        """Expect a read of the image in the account."""
        image = {"ImageId": NEW, "OwnerId": OWNER, "State": "available"}
        self.ec2.expect("describe_images", IMAGES, {"Images": [image] if found else []})

    def target_seen(self, *values: str, **changes: Any) -> TargetSeen:
        """What the account sees, by default without a parameter."""
        if values:
            versions = [listed(number, Value=value) for number, value in enumerate(values, start=1)]
            self.ssm.expect("get_parameter_history", HISTORY, {"Parameters": versions})
        else:
            self.ssm.refuse("get_parameter_history", HISTORY, "ParameterNotFound")
        here = SimpleNamespace(ec2=lambda _region: self.ec2.client, ssm=lambda _region: self.ssm.client)
        owner = SimpleNamespace(ec2=lambda _region: self.owner.client)
        target = Target(CONSUMER, REGION)
        want = wanted(**changes)
        image_id = None if want.is_rollback else NEW
        return publish_read.read_target(here, owner, want, target, image_id)  # type: ignore[arg-type]


@pytest.fixture
def abroad(ec2: Wire, ssm: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Abroad]:
    with Wire("ec2").spoken() as owner:
        yield Abroad(owner, ec2, ssm, monkeypatch)


@pytest.mark.parametrize(
    "entry",
    [{"UserId": CONSUMER}, {"Group": "all"}, {"OrganizationArn": ORG}, {"OrganizationalUnitArn": UNIT}],
)
def test_wait_for_an_image_that_was_just_shared(abroad: Abroad, entry: dict[str, str]) -> None:
    abroad.shows(False)
    abroad.shared_with(entry)
    abroad.shows(False)
    abroad.shows(True)
    assert abroad.target_seen().image is not None
    assert abroad.waited == 4


def test_the_wait_ends_after_30_seconds(abroad: Abroad) -> None:
    abroad.shows(False)
    abroad.shared_with({"UserId": CONSUMER})
    for _ in range(15):
        abroad.shows(False)
    assert abroad.target_seen().image is None
    assert abroad.waited == 30


def test_no_wait_for_an_image_that_is_not_shared_or_does_not_exist(abroad: Abroad) -> None:
    abroad.shows(False)
    abroad.shared_with({"UserId": STRANGER})
    assert abroad.target_seen().image is None
    abroad.shows(False)
    request = {"ImageId": NEW, "Attribute": "launchPermission"}
    abroad.owner.refuse("describe_image_attribute", request, "InvalidAMIID.Unavailable")
    assert abroad.target_seen().image is None
    abroad.shows(False)
    assert abroad.target_seen(as_if_shared=True).image is None
    assert abroad.waited == 0


def test_only_the_owner_of_the_image_sees_its_source(abroad: Abroad) -> None:
    both = [{**IMAGES["Filters"][0], "Values": [NEW, OLD]}]
    image = {"ImageId": NEW, "OwnerId": OWNER, "State": "available"}
    for ec2, tags in ((abroad.ec2, []), (abroad.owner, MARKED)):
        ec2.expect("describe_images", {**IMAGES, "Filters": both}, {"Images": [{**image, "Tags": tags}]})
    assert abroad.target_seen(*BEFORE_PUT, **ROLLBACK).image_id == NEW


@pytest.mark.parametrize(
    ("named", "data", "is_read"),
    [(OLD, T3, True), (OLD, {}, False), (NEW, T3, False)],
    ids=["a template that changes", "a template without a type", "a template with the image"],
)
def test_the_types_of_templates_that_change_are_read(
    region: Region, named: str, data: dict[str, str], is_read: bool
) -> None:
    _has_template(region, named, data)
    if is_read:
        region.ec2.expect(
            "describe_instance_types",
            {"Filters": [{"Name": "instance-type", "Values": ["t3.micro"]}], "MaxResults": 100},
            {"InstanceTypes": [T3]},
        )
    found = region.target_seen(launch_templates=("web",), require_shared=False)
    assert [*found.types] == (["t3.micro"] if is_read else [])


@pytest.mark.parametrize(
    ("named", "data", "answer", "expected"),
    [
        (OLD, HIBERNATES, True, True),
        (OLD, HIBERNATES, False, False),
        (OLD, HIBERNATES, "UnauthorizedOperation", None),
        (OLD, {}, None, None),
        (NEW, HIBERNATES, None, None),
    ],
)
def test_encryption_by_default_is_read_for_templates_that_hibernate_and_change(
    region: Region, named: str, data: dict[str, Any], answer: bool | str | None, expected: bool | None
) -> None:
    _has_template(region, named, data)
    if isinstance(answer, str):
        region.ec2.refuse("get_ebs_encryption_by_default", {}, answer)
    elif answer is not None:
        region.ec2.expect("get_ebs_encryption_by_default", {}, {"EbsEncryptionByDefault": answer})
    found = region.target_seen(launch_templates=("web",), require_shared=False)
    assert found.encrypts is expected


def test_other_errors_of_encryption_by_default_are_failures(region: Region) -> None:
    _has_template(region, OLD, HIBERNATES)
    region.ec2.refuse("get_ebs_encryption_by_default", {}, "InternalError")
    with pytest.raises(Refused, match="No"):
        region.target_seen(launch_templates=("web",), require_shared=False)


def _has_template(region: Region, named: str, data: dict[str, Any]) -> None:
    """Expect reads of a parameter and a template that name this image."""
    versions = [
        {
            "LaunchTemplateId": "lt-0123456789abcdef0",
            "LaunchTemplateName": "web",
            "VersionNumber": 1,
            "DefaultVersion": True,
            "LaunchTemplateData": {"ImageId": named, **data},
        }
    ]
    region.names(named)
    region.ec2.expect(
        "describe_launch_template_versions",
        {"LaunchTemplateName": "web", "Versions": ["$Default", "$Latest"], "MaxResults": 200},
        {"LaunchTemplateVersions": versions},
    )
    region.has(tuple({NEW, named}), NEW)
