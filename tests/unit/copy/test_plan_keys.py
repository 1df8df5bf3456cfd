# SPDX-License-Identifier: GPL-3.0-or-later

"""The key is part of a copy's identity: which images count as copies, and the key that CopyImage gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy import plan as copy
from ansible_collections.golden.images.plugins.module_utils._copy import request as copy_request
from ansible_collections.golden.images.plugins.module_utils._copy.options import CopyOptions
from ansible_collections.golden.images.plugins.module_utils._copy.state import USABLE_STATES, CopyState
from ansible_collections.golden.images.plugins.module_utils._keys.encryption import (
    Encryption,
    check_source,
    is_under,
)
from ansible_collections.golden.images.plugins.module_utils._model import Image, Key, Snapshot
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.copy.examples import REGION, calls, planned, wanted
from tests.unit.examples import MARK, SOURCE_ID, SOURCE_REGION, copied_image, source_image, target_in, volumes
from tests.unit.keys.examples import (
    ANY_KEY,
    BY_DEFAULT,
    DEFAULT,
    ENCRYPTED,
    KEY_TAG,
    OTHER,
    PLAIN,
    UNDER_KEY,
    WANTED,
    found,
    key_arn,
    saw,
    tags_of,
)

COPY = ("CopyImage", None)
# A pending copy may not list its snapshots; its tags are those of the request.
PENDING = (copied_image("ami-1", "pending"), [])
PENDING_UNDER_WANTED = (copied_image("ami-1", "pending", tags={KEY_TAG: WANTED.arn}), [])
PENDING_UNDER_OTHER = (copied_image("ami-1", "pending", tags={KEY_TAG: OTHER.arn}), [])
Found = tuple[Image, Iterable[Snapshot]]


@pytest.mark.parametrize("source_is_in_region", [True, False])
def test_only_an_image_that_will_be_shared_is_refused(source_is_in_region: bool) -> None:
    here = target_in(SOURCE_REGION)
    images = () if source_is_in_region else (copied_image("ami-1"),)
    source = source_image() if source_is_in_region else source_image(owner_id="999999999999")
    under = replace(
        CopyState(here.account_id, source, {here: images}),
        aws_managed_keys={here: (DEFAULT.arn,)},
    )
    regions = {"regions": (SOURCE_REGION,)}
    assert planned(wanted(**regions), under).refusals == ()
    (refused,) = planned(wanted(**regions, require_shareable=True), under).refusals
    assert refused.error_code == "default_key"


@pytest.mark.parametrize("source_is_in_region", [True, False])
def test_a_best_effort_region_with_an_image_that_cannot_be_shared_is_left_out(
    source_is_in_region: bool,
) -> None:
    here = target_in(SOURCE_REGION)
    images = () if source_is_in_region else (copied_image("ami-1", tags={"a": "1"}),)
    source = source_image() if source_is_in_region else source_image(owner_id="999999999999")
    under = replace(
        CopyState(here.account_id, source, {here: images}),
        aws_managed_keys={here: (DEFAULT.arn,)},
    )
    plan = planned(
        wanted(
            regions=(SOURCE_REGION,),
            best_effort_regions=(SOURCE_REGION,),
            require_shareable=True,
            tags={"a": "2"},
        ),
        under,
    )
    assert (plan.refusals, plan.actions) == ((), ())
    assert [failure.error_code for failure in plan.tolerated] == ["default_key"]
    assert plan.before == plan.after


@pytest.mark.parametrize(
    ("image", "counts"),
    [
        pytest.param(found("ami-1", WANTED), True, id="the requested key"),
        pytest.param(found("ami-1", WANTED, WANTED), True, id="the key, on every volume"),
        pytest.param(
            found("ami-1", WANTED, made="adopted"), True, id="not made by the collection, under the key"
        ),
        pytest.param(found("ami-1", OTHER), False, id="another key"),
        pytest.param(
            found("ami-1", OTHER, made="adopted"), False, id="not made by the collection, under another key"
        ),
        pytest.param(found("ami-1", WANTED, OTHER), False, id="another key on one volume"),
        pytest.param(found("ami-1", WANTED, None), False, id="one volume not encrypted"),
        pytest.param(found("ami-1", None), False, id="not encrypted"),
        pytest.param(
            found("ami-1", None, made="adopted"), False, id="not made by the collection, not encrypted"
        ),
        pytest.param(PENDING_UNDER_WANTED, True, id="pending under the key"),
        pytest.param(PENDING_UNDER_OTHER, False, id="pending under another key"),
        pytest.param(PENDING, False, id="pending without a key"),
        pytest.param(
            (copied_image("ami-1", "transient", tags={KEY_TAG: WANTED.arn}), []), True, id="transient"
        ),
        pytest.param(
            found("ami-1", WANTED, state="pending", tags={KEY_TAG: OTHER.arn}),
            True,
            id="snapshots take precedence over the tag",
        ),
        pytest.param(
            found("ami-1", state="pending", made="adopted"),
            True,
            id="not made by the collection, pending: key unknown",
        ),
        pytest.param(found("ami-1", WANTED, state="failed"), False, id="failed under the key"),
        pytest.param(
            (copied_image("ami-1", devices=volumes("snap-1"), tags={KEY_TAG: WANTED.arn}), []),
            False,
            id="available and not encrypted, despite its tag",
        ),
    ],
)
def test_which_images_count_with_a_requested_key(image: Found, counts: bool) -> None:
    want, seen = wanted(encryption=UNDER_KEY), saw(image, key=WANTED)
    existing = copy.existing_copy(want, seen, target_in())
    assert (existing is not None) is counts
    assert (COPY in calls(planned(want, seen).actions)) is not counts


@pytest.mark.parametrize(
    ("encryption", "source", "key", "image", "counts"),
    [
        pytest.param(ANY_KEY, ENCRYPTED, None, found("ami-1", OTHER), True, id="no key requested: any"),
        pytest.param(
            ANY_KEY, ENCRYPTED, None, found("ami-1", OTHER, WANTED), True, id="no key requested: several"
        ),
        pytest.param(ANY_KEY, ENCRYPTED, None, found("ami-1", DEFAULT), True, id="no key requested: aws/ebs"),
        pytest.param(ANY_KEY, ENCRYPTED, None, found("ami-1", OTHER, None), False, id="half encrypted"),
        pytest.param(ANY_KEY, ENCRYPTED, None, found("ami-1", None), False, id="not encrypted"),
        pytest.param(ANY_KEY, ENCRYPTED, None, PENDING_UNDER_OTHER, True, id="pending under some key"),
        pytest.param(ANY_KEY, PLAIN, None, found("ami-1", None), True, id="unencrypted like its source"),
        pytest.param(ANY_KEY, PLAIN, None, PENDING, True, id="pending, unencrypted like its source"),
        pytest.param(
            ANY_KEY, PLAIN, None, found("ami-1", OTHER), False, id="unencrypted requested, encrypted found"
        ),
        pytest.param(
            ANY_KEY, PLAIN, None, PENDING_UNDER_OTHER, False, id="unencrypted requested, pending encrypted"
        ),
        pytest.param(
            ANY_KEY,
            PLAIN,
            None,
            found("ami-1", None, OTHER),
            False,
            id="unencrypted requested, half encrypted",
        ),
        pytest.param(
            Encryption(encrypted=False),
            PLAIN,
            None,
            found("ami-1", OTHER),
            False,
            id="false, encrypted found",
        ),
        pytest.param(
            Encryption(encrypted=True), PLAIN, None, found("ami-1", OTHER), True, id="true: under any key"
        ),
        pytest.param(BY_DEFAULT, ENCRYPTED, DEFAULT, found("ami-1", DEFAULT), True, id="under the default"),
        pytest.param(
            BY_DEFAULT,
            ENCRYPTED,
            DEFAULT,
            found("ami-1", OTHER),
            False,
            id="not under the default that was read",
        ),
        pytest.param(BY_DEFAULT, ENCRYPTED, None, found("ami-1", OTHER), True, id="default allowed: any key"),
        pytest.param(
            BY_DEFAULT,
            PLAIN,
            DEFAULT,
            found("ami-1", None),
            False,
            id="encrypted by default, unencrypted found",
        ),
    ],
)
def test_which_images_count(
    encryption: Encryption, source: Image, key: Key | None, image: Found, counts: bool
) -> None:
    seen = saw(image, key=key, source=source)
    existing = copy.existing_copy(wanted(encryption=encryption), seen, target_in())
    assert (existing is not None) is counts


def test_a_copy_under_another_key_stays_without_a_warning() -> None:
    want, seen = wanted(encryption=UNDER_KEY), saw(found("ami-1", OTHER), key=WANTED)
    assert calls(planned(want, seen).actions) == [COPY]
    both = saw(found("ami-1", OTHER), found("ami-2", WANTED), key=WANTED)
    existing = copy.existing_copy(want, both, target_in())
    assert existing is not None
    assert existing.image_id == "ami-2"
    assert planned(want, both).actions == ()


def in_source_region(*images: Found, source: Found, key: Key | None) -> CopyState:
    """These images in the source's region; the source's snapshots are known."""
    image, snapshots = source
    seen = saw(*images, key=key, source=image)
    here = target_in(SOURCE_REGION)
    return replace(
        seen,
        copies={here: seen.copies[target_in()]},
        snapshots={here: (*seen.snapshots[target_in()], *snapshots)},
        keys={here: key} if key else {},
    )


def source_under(*keys: Key | None) -> Found:
    image, snapshots = found("ami-source", *keys)
    return replace(image, image_id=SOURCE_ID, tags={}, source_image_id=None), snapshots


AT_SOURCE = {"regions": (SOURCE_REGION,)}


def test_a_source_under_the_wrong_key_is_used_with_a_warning() -> None:
    seen = in_source_region(source=source_under(OTHER), key=WANTED)
    plan = planned(wanted(**AT_SOURCE, encryption=UNDER_KEY), seen)
    assert plan.actions == ()
    assert plan.before["image_id"] == SOURCE_ID
    (warning,) = plan.warnings
    assert SOURCE_ID in warning
    assert WANTED.arn in warning
    assert "reencrypt_source: true" in warning


@pytest.mark.parametrize(
    ("source", "key"),
    [
        pytest.param(source_under(WANTED), WANTED, id="under the key"),
        pytest.param(source_under(None), None, id="not encrypted, no key requested"),
        pytest.param(source_under(OTHER), None, id="encrypted, no key requested"),
    ],
)
@pytest.mark.parametrize("reencrypt", [False, True])
def test_a_source_as_requested_is_used_without_a_warning(
    source: Found, key: Key | None, reencrypt: bool
) -> None:
    encryption = Encryption(key="alias/golden" if key else None, reencrypt_source=reencrypt)
    plan = planned(wanted(**AT_SOURCE, encryption=encryption), in_source_region(source=source, key=key))
    assert (plan.actions, plan.warnings) == ((), ())
    assert plan.before["image_id"] == SOURCE_ID


@pytest.mark.parametrize(
    "source",
    [pytest.param(source_under(OTHER), id="another key"), pytest.param(source_under(None), id="none")],
)
def test_a_source_under_the_wrong_key_is_copied_with_reencrypt_source(source: Found) -> None:
    want = wanted(**AT_SOURCE, encryption=replace(UNDER_KEY, reencrypt_source=True))
    plan = planned(want, in_source_region(source=source, key=WANTED))
    assert calls(plan.actions) == [COPY]
    assert plan.actions[0].parameters["KmsKeyId"] == WANTED.arn
    again = planned(want, in_source_region(found("ami-beside", WANTED), source=source, key=WANTED))
    assert again.actions == ()
    assert again.before["image_id"] == "ami-beside"


def test_the_key_is_requested_and_tagged() -> None:
    (action,) = planned(wanted(encryption=UNDER_KEY), saw(key=WANTED)).actions
    request = action.parameters
    assert request["Encrypted"] is True
    assert request["KmsKeyId"] == WANTED.arn
    for kind in ("image", "snapshot"):
        assert tags_of(request, kind) == {**MARK, KEY_TAG: WANTED.arn}


def test_the_diff_shows_the_key() -> None:
    plan = planned(wanted(encryption=UNDER_KEY), saw(key=WANTED))
    assert plan.after["kms_key_arn"] == WANTED.arn


def test_the_replacement_of_a_failed_copy_requests_the_key_again() -> None:
    failed = (copied_image("ami-failed", "failed", tags={KEY_TAG: WANTED.arn}), [])
    plan = planned(wanted(encryption=UNDER_KEY), saw(failed, key=WANTED))
    assert calls(plan.actions) == [COPY, ("DeregisterImage", "ami-failed")]
    assert plan.actions[0].parameters["KmsKeyId"] == WANTED.arn


KEYS = st.sampled_from([None, WANTED, OTHER, DEFAULT])
ENCRYPTIONS = st.builds(
    Encryption,
    encrypted=st.none() | st.booleans(),
    key=st.none() | st.just("alias/golden"),
    allow_default=st.booleans(),
    reencrypt_source=st.booleans(),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[CopyOptions, CopyState]:
    """A region with images under any keys, and the requested copy."""
    states = st.sampled_from(["available", "pending", "failed"])
    images = []
    for number in range(draw(st.integers(0, 3))):
        image, snapshots = found(
            f"ami-{number}",
            *draw(st.lists(KEYS, max_size=2)),
            made=draw(st.sampled_from(["own", "adopted"])),
            state=draw(states),
        )
        mark = draw(st.sampled_from([None, WANTED, OTHER]))
        if mark is not None:
            image = replace(image, tags={**image.tags, KEY_TAG: mark.arn})
        images.append((image, snapshots))
    seen = saw(
        *images,
        key=draw(KEYS),
        by_default=draw(st.booleans()),
        source=draw(st.sampled_from([PLAIN, ENCRYPTED])),
    )
    return wanted(encryption=draw(ENCRYPTIONS)), seen


@given(situations())
def test_aws_never_chooses_the_key_of_a_copy(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, seen = situation
    assume(not check_source(want.encryption, seen.source))
    plan = planned(want, seen)
    for action in plan.actions:
        if action.operation != "CopyImage" or plan.refusals:
            continue
        requested = {name: action.parameters.get(name) for name in ("Encrypted", "KmsKeyId")}
        key = seen.keys.get(target_in())
        if key is not None:
            assert requested == {"Encrypted": True, "KmsKeyId": key.arn}
        else:
            assert requested == {"Encrypted": None, "KmsKeyId": None}
            assert not seen.source.encrypted
            assert not seen.encrypted_by_default


@given(situations())
def test_a_copy_is_made_only_where_none_is_as_requested(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, seen = situation
    key = seen.keys.get(target_in())
    encrypted = key is not None or want.encryption.encrypts(REGION, seen.source)
    alive = [image for image in seen.copies[target_in()] if image.state in USABLE_STATES]
    as_wanted = [
        image for image in alive if is_under(image, seen.snapshots_of(target_in(), image), key, encrypted)
    ]
    copies = [action for action in planned(want, seen).actions if action.operation == "CopyImage"]
    assert bool(copies) is not bool(as_wanted)


def token(key: Key | None, **changes: object) -> str:
    return str(
        copy_request.copy_request(wanted(**changes), source_image(), target_in(), (), key)["ClientToken"]
    )


def test_the_token_differs_by_key() -> None:
    tokens = {token(key) for key in (None, WANTED, OTHER, DEFAULT)}
    assert len(tokens) == 4


def test_the_token_depends_on_the_key_and_not_on_its_alias() -> None:
    names = (Encryption(key="alias/golden"), Encryption(key=WANTED.arn), Encryption(keys={REGION: key_arn()}))
    assert len({token(WANTED, encryption=encryption) for encryption in names}) == 1


def test_an_image_with_unknown_keys_counts() -> None:
    unknown = source_image(state="pending", devices=volumes(None))
    assert is_under(unknown, (), WANTED, True)
    assert is_under(unknown, (), None, False)
