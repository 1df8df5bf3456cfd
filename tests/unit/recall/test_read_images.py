# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of a recall, and who can use them: what cannot be read is named, and stops nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._model import (
    Device,
    Image,
    ImageRef,
    Sharing,
    SnapshotRef,
)
from ansible_collections.golden.images.plugins.module_utils._recall import read_images
from ansible_collections.golden.images.plugins.module_utils._share.state import Shared

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.kms_grant.kms_in_memory import refused
from tests.unit.recall.examples import AWAY, BAD, GOOD, HOME, OLDER, OTHER, SOURCE, copy, image, options

ACCOUNT, SNAPSHOT = Sharing(frozenset({CONSUMER})), "snap-0123456789abcdef0"
DENIED_REGION = "us-west-2"
CALLER = Caller(OWNER, "aws")


class Opened:
    """Clients that are their region's name, and what was opened of them."""

    default_region = AWAY

    def __init__(self, operation: str = "", opened: set[tuple[str, str, str]] | None = None) -> None:
        self.opened = set[tuple[str, str, str]]() if opened is None else opened
        self._operation = operation

    def open(self, service: str, regions: Collection[str]) -> None:
        self.opened |= {(self._operation, service, region) for region in regions}

    def ec2(self, region: str) -> Any:
        assert (self._operation, "ec2", region) in self.opened
        return region

    def rate_limited(self, operation: str) -> Opened:
        return Opened(operation, self.opened)


@pytest.fixture
def clients() -> Any:
    return Opened()


def read_in(monkeypatch: pytest.MonkeyPatch, **reads: Any) -> None:
    """Replace reads of EC2, which are denied in one region."""

    def denied_in_one_region(read: Any) -> Any:
        def read_or_refuse(region: str, *given: Any) -> Any:
            if region == DENIED_REGION:
                raise refused("UnauthorizedOperation", "DescribeImages")
            return read(region, *given)

        return read_or_refuse

    for name, read in reads.items():
        monkeypatch.setattr(read_images.read, name, denied_in_one_region(read))


def test_a_release_is_looked_for_by_tags_and_by_source_fields(
    monkeypatch: pytest.MonkeyPatch, clients: Any
) -> None:
    tagged: list[Any] = []

    def list_tagged(region: str, filters: Any, owners: list[str]) -> list[Image]:
        tagged.append((filters, owners))
        return [image(BAD)] if region == AWAY else []

    def list_copies(region: str, *source: str) -> tuple[Image, ...]:
        assert source == (SOURCE, HOME)
        return (image(BAD), image(OLDER)) if region == AWAY else ()

    read_in(
        monkeypatch, image=lambda _region, name: image(name), images=list_tagged, copies_by_field=list_copies
    )
    found, itself, (failure,) = read_images.read_images(
        clients, options(), OWNER, [HOME, AWAY, DENIED_REGION]
    )
    assert found.keys() == {ImageRef(AWAY, BAD), ImageRef(AWAY, OLDER)}
    # It is read in its own region only.
    assert itself == image(SOURCE)
    by_tag = [{"Name": "tag-key", "Values": ["golden.images:recalled", "golden.images:source"]}]
    assert tagged == [(by_tag, ["self"])] * 2
    assert (failure.region, failure.account_id, failure.action) == (DENIED_REGION, OWNER, "DescribeImages")
    assert failure.error_code == "UnauthorizedOperation"
    assert read_images.read_images(clients, options(), OWNER, [AWAY])[1:] == (None, ())


def test_recorded_images_are_read_in_their_regions(monkeypatch: pytest.MonkeyPatch, clients: Any) -> None:
    asked: dict[str, list[str]] = {}

    def read_named(region: str, names: list[str]) -> dict[str, Image]:
        asked[region] = sorted(names)
        return {name: image(name) for name in names if name != OLDER}

    read_in(monkeypatch, named_images=read_named)
    refs = [
        *(ImageRef(AWAY, BAD), ImageRef(AWAY, OLDER)),
        *(ImageRef(HOME, SOURCE), ImageRef(DENIED_REGION, GOOD)),
    ]
    found, failures = read_images.read_named_images(clients, OWNER, refs)
    assert found == {ImageRef(AWAY, BAD): image(BAD), ImageRef(HOME, SOURCE): image(SOURCE)}
    assert asked == {AWAY: sorted([BAD, OLDER]), HOME: [SOURCE]}
    assert [failure.region for failure in failures] == [DENIED_REGION]


def test_images_outside_the_release_with_a_shared_snapshot_of_it_are_found(
    monkeypatch: pytest.MonkeyPatch, clients: Any
) -> None:
    private = "snap-0000000000000000a"
    disks = (Device("/dev/xvda", SNAPSHOT, False), Device("/dev/xvdb", private, False))
    asked: dict[str, list[str]] = {}

    def list_with(region: str, filters: Any, owners: list[str]) -> list[Image]:
        ((name, names),) = [(item["Name"], item["Values"]) for item in filters]
        assert (name, owners) == ("block-device-mapping.snapshot-id", ["self"])
        asked[region] = names
        return [
            replace(image(BAD), devices=disks),
            replace(image(GOOD), devices=disks),
            replace(image(OLDER), devices=disks, state="deregistered"),
            replace(image(OTHER), devices=disks, state="failed"),
        ]

    read_in(monkeypatch, images=list_with)
    volumes_of = {SNAPSHOT: ACCOUNT, private: Sharing()}
    access = {
        ImageRef(AWAY, BAD): Shared(image(BAD), ACCOUNT, volumes_of),
        # Nobody else has its snapshots: nothing is asked in its region.
        ImageRef(HOME, SOURCE): Shared(image(SOURCE), ACCOUNT, {private: Sharing()}),
        ImageRef(DENIED_REGION, GOOD): Shared(image(GOOD), ACCOUNT, volumes_of),
    }
    others, failures = read_images.read_others(clients, OWNER, access, access.keys())
    assert others == {SnapshotRef(AWAY, SNAPSHOT): GOOD}
    assert asked == {AWAY: [SNAPSHOT]}
    assert [failure.region for failure in failures] == [DENIED_REGION]


def test_clients_that_wait_for_their_turn_are_opened_for_permissions(clients: Any) -> None:
    read_images.open_regions(clients, [AWAY])
    assert clients.opened == {
        (operation, "ec2", AWAY) for operation in ("", "DescribeImageAttribute", "DescribeSnapshotAttribute")
    }


def test_what_cannot_be_read_is_named_and_the_rest_is_read(
    monkeypatch: pytest.MonkeyPatch, clients: Any
) -> None:
    disk = (Device("/dev/xvda", SNAPSHOT, False),)
    images = {
        ImageRef(AWAY, BAD): replace(image(BAD), devices=disk),
        # It has no launch permissions, and AWS is not asked for them.
        ImageRef(AWAY, GOOD): replace(image(GOOD), devices=disk, state="disabled"),
        ImageRef(AWAY, OTHER): replace(image(OTHER), state="deregistered"),
        ImageRef(AWAY, "ami-broken"): image("ami-broken"),
    }

    def read_launch(_ec2: Any, image_id: str) -> Sharing:
        if image_id != BAD:
            raise ValueError(image_id)
        return ACCOUNT

    monkeypatch.setattr(read_images.read, "launch_permissions", read_launch)
    monkeypatch.setattr(read_images.read, "volume_permissions", lambda _ec2, _name: ACCOUNT)
    found, failures = read_images.read_access(clients, OWNER, images)
    assert {ref.image_id: (item.launch, item.volume_permissions) for ref, item in found.items()} == {
        BAD: (ACCOUNT, {SNAPSHOT: ACCOUNT}),
        GOOD: (Sharing(), {SNAPSHOT: ACCOUNT}),
    }
    (failure,) = failures
    assert (failure.region, failure.account_id, "ami-broken" in failure.message) == (AWAY, OWNER, True)


def test_images_of_an_account_without_a_role_are_unread_and_not_gone(clients: Any) -> None:
    copies = {ImageRef(AWAY, BAD): CONSUMER, ImageRef(AWAY, GOOD): CONSUMER}
    found, (failure,) = read_images.read_copies(clients, CALLER, None, copies)
    assert found == {}
    assert (failure.error_code, failure.account_id, failure.region) == (
        "missing_consumer_role",
        CONSUMER,
        AWAY,
    )
    assert read_images.read_copies(clients, CALLER, None, {}) == ({}, ())


def test_only_what_the_account_owns_is_one_of_its_copies(
    monkeypatch: pytest.MonkeyPatch, clients: Any
) -> None:
    views = [
        copy(BAD),
        copy(GOOD, state="disabled"),
        copy(OTHER, state="deregistered"),
        image("ami-foreign"),
    ]
    monkeypatch.setattr(
        read_images.read, "named_images", lambda *_given: {one.image_id: one for one in views}
    )
    monkeypatch.setattr(read_images.read, "launch_permissions", lambda *_given: ACCOUNT)
    # The caller is this account itself.
    copies = {ImageRef(AWAY, one.image_id): CONSUMER for one in views}
    found, failures = read_images.read_copies(clients, Caller(CONSUMER, "aws"), None, copies)
    assert {ref.image_id: (item.launch, item.volume_permissions) for ref, item in found.items()} == {
        BAD: (ACCOUNT, {}),
        GOOD: (Sharing(), {}),
    }
    assert failures == ()
