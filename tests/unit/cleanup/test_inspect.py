# SPDX-License-Identifier: GPL-3.0-or-later

"""One round of reads: what was seen stays, and what is read is added."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from ansible_collections.golden.images.plugins.module_utils.cleanup import inspect as inspecting
from ansible_collections.golden.images.plugins.module_utils.cleanup.inspect import inspect
from ansible_collections.golden.images.plugins.module_utils.cleanup.next_reads import NextReads
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    CleanupSeen,
    ImageBuilder,
    ImageUsage,
    KeyUsage,
    LifecyclePolicy,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils.keys.needed import ConsumerResources
from ansible_collections.golden.images.plugins.module_utils.model import (
    ImageRef,
    KeyRef,
    Sharing,
    SnapshotRef,
)

from tests.unit.cleanup.examples import NOW, REGION, UsageScript, own, region_state, wanted
from tests.unit.examples import OWNER

REF, EARLIER = ImageRef(REGION, "ami-1"), ImageRef(REGION, "ami-0")
SNAPSHOT, SECOND = SnapshotRef(REGION, "snap-ami-1"), SnapshotRef(REGION, "snap-2")
KEY = KeyRef(REGION, f"arn:aws:kms:{REGION}:{OWNER}:key/golden")
SEEN = CleanupSeen(OWNER, NOW, {REGION: region_state(own("ami-1"))}, {EARLIER: ImageUsage()})


def test_images_and_snapshots_are_read_and_added() -> None:
    script = UsageScript().references().permissions().volume().volume(None, "snap-2")
    reads = NextReads(images={REF: (SNAPSHOT,)}, snapshots=(SECOND,))
    with script.wire.spoken():
        saw = inspect(script.clients(), wanted(), SEEN, reads)
    assert saw == replace(
        SEEN,
        usage={EARLIER: ImageUsage(), REF: ImageUsage()},
        snapshot_usage={SNAPSHOT: SnapshotUsage(), SECOND: SnapshotUsage()},
    )


def test_image_builder_is_read_and_added() -> None:
    clients: Any = None
    saw = replace(SEEN, image_builder={"us-east-1": ImageBuilder()})
    read = ImageBuilder((LifecyclePolicy(tags={"team": "a"}),))
    with patch.object(inspecting, "read_image_builders", lambda *given: dict.fromkeys(given[2], read)):
        found = inspect(clients, wanted(), saw, NextReads(builders=(REGION,)))
    assert found == replace(SEEN, image_builder={"us-east-1": ImageBuilder(), REGION: read})


def test_keys_are_read_and_added() -> None:
    usage = KeyUsage(sharing={"ami-1": Sharing()})
    clients: Any = None

    def read_key_usage(_clients: Any, saw: CleanupSeen, staying: Any) -> Any:
        assert saw is SEEN
        return dict.fromkeys(staying, usage)

    with patch.object(inspecting, "read_key_usage", read_key_usage):
        saw = inspect(clients, wanted(), SEEN, NextReads(keys={KEY: (own("ami-1"),)}))
    assert saw == replace(SEEN, key_usage={KEY: usage})


def test_volumes_are_read_and_added() -> None:
    clients: Any = None
    accounts = {KEY: frozenset({"222222222222"})}
    volumes = {KEY: ConsumerResources({"222222222222": ("vol-1",)})}
    with patch.object(inspecting, "read_resources", lambda *_all: volumes):
        saw = inspect(clients, wanted(), SEEN, NextReads(resources=accounts))
    assert saw == replace(SEEN, consumer_resources=volumes)
