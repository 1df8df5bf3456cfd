# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read next: nothing twice, nothing that the plan does not depend on, and in the end nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy.access import (
    SourcePermissions,
    SourceSeen,
)
from ansible_collections.golden.images.plugins.module_utils.copy.next_reads import (
    NextReads,
    next_reads,
)
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopySeen, CopyWanted
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils.model import Key, KeySeen, Target
from ansible_collections.golden.images.plugins.module_utils.plan import KNOWN_AFTER_APPLY

from tests.unit.copy.examples import REGION, wanted
from tests.unit.examples import CONSUMER, OWNER, SOURCE_REGION, copied_image, source_image, target_in
from tests.unit.keys.examples import (
    ANY_KEY,
    BY_DEFAULT,
    DEFAULT,
    ENCRYPTED,
    OTHER,
    PLAIN,
    UNDER_KEY,
    WANTED,
    found,
    key_arn,
    saw,
)

HERE = target_in()
THERE, READER = Target(CONSUMER, REGION), Target(CONSUMER, SOURCE_REGION)
US = Target(CONSUMER, "us-west-2")
INTO = wanted(account_ids=(CONSUMER,), encryption=Encryption(key="alias/theirs"))


def into(source: Any = ENCRYPTED, *targets: Target, **changes: Any) -> CopySeen:
    """What is seen of an account without a copy, whose requested key was read."""
    where = targets or (THERE,)
    values = {"copies": dict.fromkeys(where, ()), "keys": dict.fromkeys(where, WANTED), **changes}
    return CopySeen(OWNER, source, **values)


@pytest.mark.parametrize(
    ("encryption", "seen", "expected"),
    [
        pytest.param(UNDER_KEY, saw(key=WANTED), NextReads(), id="the key is set"),
        pytest.param(ANY_KEY, saw(found("ami-1", None)), NextReads(), id="a copy exists"),
        pytest.param(
            UNDER_KEY, saw(found("ami-1", WANTED), key=WANTED), NextReads(), id="a copy under the key"
        ),
        pytest.param(
            UNDER_KEY,
            saw(found("ami-1", OTHER), key=WANTED),
            NextReads(others=(HERE,)),
            id="a copy under another key",
        ),
        pytest.param(
            UNDER_KEY,
            saw(found("ami-1", OTHER, state="failed"), key=WANTED),
            NextReads(),
            id="a failed copy under another key",
        ),
        pytest.param(
            UNDER_KEY,
            replace(saw(found("ami-1", OTHER), key=WANTED), others_read=frozenset({HERE})),
            NextReads(),
            id="others were read",
        ),
        pytest.param(
            ANY_KEY,
            replace(saw(), encryption_by_default={}),
            NextReads(by_default=(HERE,)),
            id="no key is set",
        ),
        pytest.param(ANY_KEY, saw(by_default=True), NextReads(), id="encrypted by default"),
        pytest.param(
            ANY_KEY,
            replace(saw(source=ENCRYPTED), encryption_by_default={}),
            NextReads(),
            id="encrypted, and no key is set",
        ),
        pytest.param(
            BY_DEFAULT, saw(by_default=True), NextReads(default_keys=(HERE,)), id="the default key is allowed"
        ),
        pytest.param(BY_DEFAULT, saw(by_default=False), NextReads(), id="the default key is not needed"),
        pytest.param(
            BY_DEFAULT,
            replace(saw(source=ENCRYPTED), encryption_by_default={}),
            NextReads(default_keys=(HERE,)),
            id="the default key of an encrypted source",
        ),
        pytest.param(
            BY_DEFAULT, saw(key=DEFAULT, by_default=True), NextReads(), id="the default key was read"
        ),
    ],
)
def test_copies_and_keys_of_a_target(encryption: Encryption, seen: CopySeen, expected: NextReads) -> None:
    reads = next_reads(wanted(encryption=encryption), seen)
    assert reads == expected
    assert bool(reads) is (expected != NextReads())


def test_the_keys_of_images_that_will_be_shared() -> None:
    existing = saw(found("ami-1", OTHER), source=ENCRYPTED)
    asks = wanted(require_shareable=True)
    assert next_reads(asks, existing) == NextReads(image_keys={HERE: (OTHER.arn,)})
    assert not next_reads(wanted(), existing)
    assert not next_reads(asks, saw(found("ami-1", None)))
    assert not next_reads(asks, replace(existing, aws_managed_keys={HERE: ()}))


def test_a_source_s_keys_then_the_accounts_access_then_the_permissions() -> None:
    seen = into(ENCRYPTED, THERE, US)
    assert next_reads(INTO, seen) == NextReads(source_keys={SOURCE_REGION: ENCRYPTED})
    seen = replace(seen, source_keys={SOURCE_REGION: (KeySeen(Key(key_arn("a", SOURCE_REGION))),)})
    assert next_reads(INTO, seen) == NextReads(access={THERE: READER, US: READER})
    with_access = SourceSeen(visible=True, snapshot_ids=frozenset(ENCRYPTED.snapshot_ids))
    assert not next_reads(INTO, replace(seen, source_access={READER: with_access}))
    without = replace(seen, source_access={READER: replace(with_access, visible=False)})
    assert next_reads(INTO, without) == NextReads(permissions={SOURCE_REGION: ENCRYPTED})
    for permissions in (SourcePermissions(), None):
        assert not next_reads(INTO, replace(without, source_permissions={SOURCE_REGION: permissions}))


def test_the_permissions_of_another_account_s_source_cannot_be_read() -> None:
    source = replace(PLAIN, owner_id="222222222222")
    seen = into(source, source_access={READER: SourceSeen(visible=False)})
    assert not next_reads(INTO, seen)


def test_a_source_that_is_not_encrypted_has_no_keys_to_read() -> None:
    assert next_reads(INTO, into(PLAIN)) == NextReads(access={THERE: READER})


@pytest.mark.parametrize(
    ("want", "seen"),
    [
        pytest.param(replace(INTO, account_ids=()), into(), id="no accounts"),
        pytest.param(replace(INTO, assume_source_ready=True), into(), id="access is assumed"),
        pytest.param(INTO, into(source_image(owner_id=CONSUMER)), id="the account owns the source"),
        pytest.param(INTO, into(replace(PLAIN, image_id=KNOWN_AFTER_APPLY)), id="the source is planned"),
        pytest.param(
            wanted(account_ids=(CONSUMER,)),
            into(PLAIN, copies={THERE: (copied_image(owner_id=CONSUMER),)}, keys={}),
            id="the copy exists",
        ),
    ],
)
def test_access_to_the_source_does_not_matter(want: CopyWanted, seen: CopySeen) -> None:
    assert not next_reads(want, seen)


def test_once_a_required_target_has_failed_the_keys_of_others_are_still_read_but_no_access() -> None:
    failed = (Failure("m", "r", "c", "a"),)
    want = replace(INTO, encryption=ANY_KEY)
    seen = into(PLAIN, THERE, keys={}, failed=failed)
    assert next_reads(want, seen) == NextReads(by_default=(THERE,))
    assert not next_reads(want, replace(seen, encryption_by_default={THERE: False}))
