# SPDX-License-Identifier: GPL-3.0-or-later

"""One round of reads: what was seen stays, what is read is added, what cannot be read is left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy import inspect as copy_inspect
from ansible_collections.golden.images.plugins.module_utils.copy import read_access as copy_access
from ansible_collections.golden.images.plugins.module_utils.copy import read_targets as copy_targets
from ansible_collections.golden.images.plugins.module_utils.copy.access import (
    SourcePermissions,
    SourceSeen,
)
from ansible_collections.golden.images.plugins.module_utils.copy.inspect import inspect
from ansible_collections.golden.images.plugins.module_utils.copy.next_reads import NextReads
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopySeen
from ansible_collections.golden.images.plugins.module_utils.keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils.model import (
    Image,
    Key,
    KeySeen,
    Sharing,
    Snapshot,
    Target,
)

from tests.unit.copy.aws_in_steps import refused
from tests.unit.copy.examples import REGION, wanted
from tests.unit.examples import CONSUMER, OWNER, SOURCE_REGION, copied_image, source_image, target_in, volumes
from tests.unit.keys.examples import BY_DEFAULT, DEFAULT, ENCRYPTED, OTHER, UNDER_KEY, WANTED, found, saw

HERE, US = target_in(), target_in("us-west-2")
THERE, READER = Target(CONSUMER, REGION), Target(CONSUMER, SOURCE_REGION)
SHARED = Sharing(account_ids=frozenset({CONSUMER}))
IN_COPY = Snapshot("ami-2-0", "completed", 100, WANTED.arn)
IN_SOURCE = Snapshot("snap-source", "completed", 100, OTHER.arn)


class Reads:
    """Stands for ``aws.read``; nothing can be read in us-west-2 and of the key ``other``."""

    @staticmethod
    def copies_by_field(ec2: Target, _source_id: str, _source_region: str) -> tuple[Image, ...]:
        if ec2 == US:
            raise refused("UnauthorizedOperation", "DescribeImages")
        return (found("ami-1", OTHER)[0], found("ami-2", WANTED)[0])

    @staticmethod
    def snapshots(_ec2: object, snapshot_ids: list[str]) -> tuple[Snapshot, ...]:
        assert snapshot_ids == [IN_COPY.snapshot_id]
        return (IN_COPY,)

    @staticmethod
    def encryption_by_default(ec2: Target) -> bool:
        if ec2 == US:
            raise refused("UnauthorizedOperation", "GetEbsEncryptionByDefault")
        return True

    @staticmethod
    def default_key_id(_ec2: Target) -> str:
        return "alias/aws/ebs"

    @staticmethod
    def key(_kms: Target, key_id: str) -> Key:
        if key_id == OTHER.arn:
            raise refused("AccessDeniedException", "DescribeKey")
        return {"alias/aws/ebs": DEFAULT, DEFAULT.arn: DEFAULT}[key_id]

    @staticmethod
    def image(_ec2: Target, _image_id: str) -> Image | None:
        return None

    @staticmethod
    def visible_snapshots(ec2: Target, _snapshot_ids: object) -> tuple[Snapshot, ...]:
        if ec2 == Target(CONSUMER, "us-west-2"):
            raise refused("UnauthorizedOperation", "DescribeSnapshots")
        return (IN_SOURCE,)

    @staticmethod
    def may_describe_key(_kms: Target, _arn: str) -> bool:
        return False

    @staticmethod
    def grants(_kms: Target, _arn: str) -> tuple[Any, ...]:
        return ()

    @staticmethod
    def key_policies(_kms: Target, _arn: str) -> None:
        return None

    @staticmethod
    def launch_permissions(_ec2: Target, _image_id: str) -> Sharing:
        return SHARED

    @staticmethod
    def volume_permissions(_ec2: Target, _snapshot_id: str) -> Sharing:
        return SHARED


class Accounts:
    """Stands for ``AssumedAccounts``, and for the own clients: a client is its account and region."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Any]:
        def at(region: str) -> Target:
            return Target(account_id, region)

        yield SimpleNamespace(ec2=at, kms=at)

    def role_arn(self, _account_id: str) -> str:
        return "arn:role"

    def open(self, _service: str, regions: list[str]) -> None:
        self.opened += regions

    def kms(self, region: str) -> Target:
        assert region in self.opened
        return Target(OWNER, region)


def inspected(seen: CopySeen, reads: NextReads, **changes: Any) -> CopySeen:
    accounts: Any = Accounts()
    with pytest.MonkeyPatch.context() as patch:
        for module in (copy_inspect, copy_access, copy_targets):
            patch.setattr(module, "read", Reads)
        return inspect(accounts, accounts, wanted(**changes), seen, reads)


def test_without_reads_nothing_changes() -> None:
    seen = saw(found("ami-1", OTHER), key=WANTED)
    assert inspected(seen, NextReads()) == seen


def test_copies_that_others_made_are_added() -> None:
    seen = saw(found("ami-1", OTHER), key=WANTED)
    assert inspected(seen, NextReads(others=(HERE,)), encryption=UNDER_KEY) == replace(
        seen,
        copies={HERE: (*seen.copies[HERE], found("ami-2", WANTED)[0])},
        snapshots={HERE: (*seen.snapshots[HERE], IN_COPY)},
        others_read=frozenset({HERE}),
    )


def test_encryption_by_default_and_default_keys_are_added() -> None:
    seen = saw()
    read = inspected(seen, NextReads(by_default=(HERE,)), encryption=BY_DEFAULT)
    assert read == replace(seen, encryption_by_default={HERE: True})
    assert inspected(read, NextReads(default_keys=(HERE,))) == replace(read, keys={HERE: DEFAULT})


@pytest.mark.parametrize("reads", [NextReads(others=(HERE, US)), NextReads(by_default=(HERE, US))])
@pytest.mark.parametrize("best_effort", [True, False])
def test_a_target_that_cannot_be_read_is_left_out_or_fails(reads: NextReads, best_effort: bool) -> None:
    own = saw(found("ami-1", OTHER))
    seen = replace(own, copies={**own.copies, US: ()})
    regions = frozenset({US.region} if best_effort else ())
    read = inspected(seen, reads, best_effort_regions=regions)
    assert list(read.copies) == [HERE]
    (failure,) = read.unread if best_effort else read.failed
    assert (failure.error_code, failure.region) == ("UnauthorizedOperation", US.region)


def test_aws_managed_keys_are_added_and_a_key_that_cannot_be_described_is_none() -> None:
    seen = replace(saw(), keys={HERE: WANTED})
    read = inspected(seen, NextReads(image_keys={HERE: (DEFAULT.arn, WANTED.arn), US: (OTHER.arn,)}))
    assert read == replace(seen, aws_managed_keys={HERE: (DEFAULT.arn,), US: ()})


INTO = CopySeen(OWNER, ENCRYPTED, copies={THERE: (), Target(CONSUMER, "eu-west-2"): ()})


def test_keys_access_and_permissions_are_added() -> None:
    keys = inspected(INTO, NextReads(source_keys={SOURCE_REGION: ENCRYPTED}))
    key = KeySeen(Key(OTHER.arn))
    assert keys == replace(INTO, source_keys={SOURCE_REGION: (key,)})
    targets = dict.fromkeys(INTO.copies, READER)
    access = inspected(keys, NextReads(access=targets), account_ids=(CONSUMER,))
    read = SourceSeen(False, frozenset({"snap-source"}), frozenset({OTHER.arn}), "arn:role")
    assert access == replace(keys, source_access={READER: read})
    permissions = inspected(access, NextReads(permissions={SOURCE_REGION: ENCRYPTED}))
    everyone = SourcePermissions(SHARED, {"snap-source": SHARED})
    assert permissions == replace(access, source_permissions={SOURCE_REGION: everyone})


@pytest.mark.parametrize("best_effort", [True, False])
def test_only_targets_that_need_an_account_s_access_fail_with_it(best_effort: bool) -> None:
    """A target whose copy exists stays, though its account could not read the source."""
    copied, copying = Target(CONSUMER, "eu-west-2"), Target(CONSUMER, "eu-west-3")
    image = copied_image(owner_id=CONSUMER, devices=volumes("snap-1"))
    seen = CopySeen(OWNER, source_image(), copies={copied: (image,), copying: ()})
    reader = Target(CONSUMER, "us-west-2")
    want = {
        "account_ids": (CONSUMER,),
        "source_region": "us-west-2",
        "best_effort_regions": frozenset({copying.region} if best_effort else ()),
        "encryption": Encryption(),
    }
    read = inspected(seen, NextReads(access={copying: reader}), **want)
    assert dict(read.copies) == {copied: (image,)}
    (failure,) = read.unread if best_effort else read.failed
    assert (failure.error_code, failure.account_id) == ("UnauthorizedOperation", CONSUMER)
    assert read.source_access == {}
