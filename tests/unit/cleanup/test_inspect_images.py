# SPDX-License-Identifier: GPL-3.0-or-later

"""Closer looks: which calls are made of what, and that what is refused counts as use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import (
    CleanupSeen,
    CleanupWanted,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.inspect_images import with_looks
from ansible_collections.golden.images.plugins.module_utils.cleanup.inspect_keys import with_key_looks
from ansible_collections.golden.images.plugins.module_utils.cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import CloserLook, SnapshotLook
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import (
    ImageRef,
    KeyRef,
    Sharing,
    SnapshotRef,
)

from tests.unit.cleanup.examples import NOW, REGION, facts, own, wanted
from tests.unit.examples import CONSUMER, OWNER
from tests.unit.wire import Wire

OLD, NEWEST = own("ami-1"), own("ami-new", 1)
REF, SNAPSHOT = ImageRef(REGION, "ami-1"), SnapshotRef(REGION, "snap-ami-1")
SEEN = CleanupSeen(OWNER, NOW, {REGION: facts(OLD, NEWEST)})
BY_CONSUMER = Sharing(account_ids=frozenset({CONSUMER}))
NAMED = {"ImageReferences": [{"ImageId": "ami-1", "ResourceType": "ssm:Parameter", "Arn": "arn:x"}]}
SHARED = {"LaunchPermissions": [{"UserId": CONSUMER}]}
KEY = KeyRef(REGION, f"arn:aws:kms:{REGION}:{OWNER}:key/golden")


class Clients:
    """The clients of one region, each answering from a script, and paced ones like any other."""

    def __init__(self, ec2: Wire, kms: Wire | None = None) -> None:
        self._wires = {"ec2": ec2, "kms": kms}

    def paced_for(self, _operation: str) -> Clients:
        return self

    def open(self, _service: str, regions: Any) -> None:
        assert list(regions) == [REGION]

    def ec2(self, _region: str) -> Any:
        return self._client("ec2")

    def kms(self, _region: str) -> Any:
        return self._client("kms")

    def _client(self, service: str) -> Any:
        wire = self._wires[service]
        assert wire is not None
        return wire.client


class Script:
    """The calls of a look at one image."""

    def __init__(self) -> None:
        self.wire = Wire("ec2")

    def references(self, answer: Any = None) -> Script:
        self._add("describe_image_references", _ANY_REFERENCES, answer or {"ImageReferences": []})
        return self

    def permissions(self, answer: Any = None, image_id: str = "ami-1") -> Script:
        request = {"ImageId": image_id, "Attribute": "launchPermission"}
        self._add("describe_image_attribute", request, answer or {"LaunchPermissions": []})
        return self

    def volume(self, answer: Any = None, snapshot_id: str = "snap-ami-1") -> Script:
        request = {"SnapshotId": snapshot_id, "Attribute": "createVolumePermission"}
        self._add("describe_snapshot_attribute", request, answer or {"CreateVolumePermissions": []})
        return self

    def looked(self, asked: CleanupWanted | None = None) -> CleanupSeen:
        clients: Any = Clients(self.wire)
        with self.wire.spoken():
            return with_looks(clients, asked or wanted(), SEEN, [REF])

    def _add(self, method: str, request: dict[str, Any], answer: Any) -> None:
        if answer == "refuse":
            self.wire.refuse(method, request, "RequestLimitExceeded", "Slow down.")
        else:
            self.wire.expect(method, request, answer)


LIVING = ["pending", "running", "shutting-down", "stopping", "stopped"]
_ANY_REFERENCES = {
    "ImageIds": ["ami-1"],
    "MaxResults": 1000,
    "ResourceTypes": [
        {
            "ResourceType": "ec2:Instance",
            "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": LIVING}],
        },
        {
            "ResourceType": "ec2:LaunchTemplate",
            "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": ["10000"]}],
        },
        {"ResourceType": "ssm:Parameter"},
        {"ResourceType": "imagebuilder:ImageRecipe"},
        {"ResourceType": "imagebuilder:ContainerRecipe"},
    ],
}


def test_an_image_that_nothing_keeps_is_looked_at_with_its_snapshots() -> None:
    volume = {"CreateVolumePermissions": [{"UserId": CONSUMER}]}
    saw = Script().references().permissions().volume(volume).looked()
    assert saw.looks == {REF: CloserLook()}
    assert saw.snapshot_looks == {SNAPSHOT: SnapshotLook(BY_CONSUMER)}


@pytest.mark.parametrize(
    ("script", "asked"),
    [
        (Script().references(NAMED).permissions(), None),
        (Script().references("refuse").permissions(), None),
        (Script().references().permissions("refuse"), None),
        (Script().references().permissions(SHARED), None),
        (Script().references().permissions(), wanted(clocks=Clocks(deregister=9))),
    ],
    ids=["named", "references refused", "permissions refused", "shared", "not due"],
)
def test_the_snapshots_of_an_image_that_stays_for_now_are_not_looked_at(
    script: Script, asked: CleanupWanted | None
) -> None:
    assert script.looked(asked).snapshot_looks == {}


def test_what_is_refused_counts_as_use() -> None:
    slow = "RequestLimitExceeded: Slow down."
    for script in (Script().references("refuse").permissions(), Script().references().permissions("refuse")):
        (look,) = script.looked().looks.values()
        assert [(one.kind, one.detail, one.firm) for one in look.unread] == [("unreadable", slow, False)]
    saw = Script().references().permissions().volume("refuse").looked()
    assert saw.snapshot_looks == {SNAPSHOT: SnapshotLook(unread=slow)}


def test_reports_are_read_of_shared_images_if_these_are_included() -> None:
    script = Script().references().permissions(SHARED).volume()
    script.wire.expect("describe_image_usage_reports", {"ImageIds": ["ami-1"]}, {"ImageUsageReports": []})
    (look,) = script.looked(wanted(include_shared=True)).looks.values()
    assert (look.sharing, look.report, look.unread) == (BY_CONSUMER, None, ())
    script = Script().references().permissions(SHARED).volume()
    script.wire.refuse("describe_image_usage_reports", {"ImageIds": ["ami-1"]}, "UnauthorizedOperation")
    (look,) = script.looked(wanted(include_shared=True)).looks.values()
    assert [one.subject for one in look.unread] == ["DescribeImageUsageReports"]


def test_a_mistake_ends_the_reading() -> None:
    class Broken(Clients):
        def ec2(self, _region: str) -> Any:
            raise KeyError("no client")

    clients: Any = Broken(Wire("ec2"))
    with pytest.raises(Refused):
        with_looks(clients, wanted(), SEEN, [REF])


def grant(name: str) -> dict[str, Any]:
    return {"GrantId": f"g-{name}", "GranteePrincipal": "x", "Operations": ["Decrypt"], "Name": name}


def test_of_a_key_with_own_grants_is_read_with_whom_the_images_are_shared_that_stay() -> None:
    kms, script = Wire("kms"), Script().permissions(SHARED, "ami-new").volume(None, "snap-ami-new")
    kms.expect(
        "list_grants",
        {"KeyId": KEY.key_arn, "Limit": 100},
        {"Grants": [grant("golden-images:1"), grant("theirs")]},
    )
    clients: Any = Clients(script.wire, kms)
    with kms.spoken(), script.wire.spoken():
        saw = with_key_looks(clients, SEEN, {KEY: (NEWEST,)})
    look = saw.keys[KEY]
    assert [one.grant_id for one in look.grants] == ["g-golden-images:1"]
    assert (look.sharing, look.unread) == ({"ami-new": BY_CONSUMER}, ())


def test_what_was_read_of_an_image_before_is_not_read_again_for_its_key() -> None:
    kms = Wire("kms")
    kms.expect("list_grants", {"KeyId": KEY.key_arn, "Limit": 100}, {"Grants": [grant("golden-images:1")]})
    saw = replace(
        SEEN,
        looks={ImageRef(REGION, "ami-new"): CloserLook(sharing=BY_CONSUMER)},
        snapshot_looks={SnapshotRef(REGION, "snap-ami-new"): SnapshotLook(Sharing(public=True))},
    )
    clients: Any = Clients(Wire("ec2"), kms)
    with kms.spoken():
        look = with_key_looks(clients, saw, {KEY: (NEWEST,)}).keys[KEY]
    assert look.sharing == {"ami-new": BY_CONSUMER | Sharing(public=True)}


def test_a_key_that_cannot_be_read_says_so_and_one_without_own_grants_needs_no_more() -> None:
    kms = Wire("kms")
    kms.refuse("list_grants", {"KeyId": KEY.key_arn, "Limit": 100}, "AccessDeniedException")
    kms.expect("list_grants", {"KeyId": KEY.key_arn, "Limit": 100}, {"Grants": [grant("theirs")]})
    clients: Any = Clients(Wire("ec2"), kms)
    with kms.spoken():
        (problem,) = with_key_looks(clients, SEEN, {KEY: (NEWEST,)}).keys[KEY].unread
        assert "kms:ListGrants" in problem or "ListGrants" in problem
        assert with_key_looks(clients, SEEN, {KEY: (NEWEST,)}).keys[KEY].sharing == {}
    assert with_key_looks(clients, SEEN, {}) is SEEN
