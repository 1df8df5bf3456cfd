# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds at every moment of a run, however it is interrupted: found in a picture of that moment."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from .picture import Picture

_ACCOUNT = re.compile(r"\d{12}")
_SHARED = ("image", "snapshot")
RECYCLE_BIN = " in the Recycle Bin"
"""The end of the kind of what is in it."""


@dataclass(frozen=True)
class Moment:
    """Pictures before the run, now, and after an undisturbed run.

    ``named`` are the consumers of the run: accounts, organizations, organizational units. Until an image can
    be used in all ``together`` regions, a run shares none of its copies.
    ``switched`` are the only images that the run disables, or enables again.
    """

    before: Picture
    now: Picture
    after: Picture
    named: frozenset[str] = frozenset()
    together: frozenset[str] = frozenset()
    switched: frozenset[str] = frozenset()


def violations(moment: Moment) -> list[str]:
    """What is wrong at this moment, a line each."""
    return [
        *_public(moment),
        *_strangers(moment),
        *_shared_without_key(moment),
        *_lost(moment),
        *_lost_access(moment),
        *_without_snapshots(moment),
        *_switched(moment),
        *_names_nothing(moment),
        *_shared_early(moment),
    ]


def _public(moment: Moment) -> Iterator[str]:
    """Nothing becomes public that the run does not make public, and no snapshot before its image."""
    for label, one in moment.now.items():
        if one.get("public") and not moment.before.get(label, {}).get("public"):
            if not moment.after.get(label, {}).get("public"):
                yield f"public: {label}"
            elif label.startswith("snapshot ") and not _has_public_image(moment.now, label):
                yield f"public without its image: {label}"


def _has_public_image(now: Picture, snapshot: str) -> bool:
    return any(
        one["public"] and any(snapshot.endswith(f" {name}") for name in one["snapshots"].values())
        for label, one in now.items()
        if label.startswith("image ")
    )


def _strangers(moment: Moment) -> Iterator[str]:
    for label in moment.now:
        known = _access(moment.before, label) | _access(moment.after, label)
        for entry in sorted(_access(moment.now, label) - known):
            if not any(name in entry for name in moment.named):
                yield f"{label} gives access to {entry}, which the run does not name"


def _shared_without_key(moment: Moment) -> Iterator[str]:
    for label, one in moment.now.items():
        if not label.startswith("image "):
            continue
        new = set(one["permissions"]) - set(moment.before.get(label, {}).get("permissions", ()))
        keys = {snapshot["key"] for snapshot in _snapshots(moment.now, one) if snapshot["key"]}
        for account in sorted(entry.partition("=")[2] for entry in new if entry.startswith("UserId=")):
            for key in sorted(keys):
                if not _may_use(moment.now, key, account):
                    yield f"{label} is shared with {account}, which cannot use {key}"


def _may_use(now: Picture, key: str, account: str) -> bool:
    found = [one for label, one in now.items() if label.startswith("key ") and label.endswith(key)]
    return any(account in json.dumps([one["grants"], one["policy"]]) for one in found)


def _lost(moment: Moment) -> Iterator[str]:
    """What was there and will be; a labeled version of a parameter can be the newest one meanwhile."""
    newest = {
        f"{label.removesuffix('newest')}{','.join(one['labels'])}"
        for label, one in moment.now.items()
        if label.startswith("parameter ") and one["newest"]
    }
    for label in (moment.before.keys() & moment.after.keys()) - moment.now.keys() - newest:
        yield f"lost: {label}"


def _lost_access(moment: Moment) -> Iterator[str]:
    for label in sorted(moment.before.keys() & moment.after.keys() & moment.now.keys()):
        kept = _access(moment.before, label) & _access(moment.after, label)
        for entry in sorted(kept - _access(moment.now, label)):
            yield f"{label} lost the access of {entry}"


def _without_snapshots(moment: Moment) -> Iterator[str]:
    for label, one in moment.now.items():
        if not label.startswith("image ") or RECYCLE_BIN in label or one["state"] == "failed":
            continue
        if len(_snapshots(moment.now, one)) < len(one["snapshots"]):
            yield f"{label} lost a snapshot"


def _switched(moment: Moment) -> Iterator[str]:
    """Only images that are to change their state do, and a tombstone has those that are disabled."""
    if not moment.switched:
        return
    recorded = {
        item["image_id"]
        for label, one in moment.now.items()
        if label.startswith("object ") and isinstance(one["body"], dict)
        for item in one["body"]["blocked"]
        if item["disabled"]
    }
    for label in sorted(moment.before.keys() & moment.after.keys() & moment.now.keys()):
        if not label.startswith("image "):
            continue
        name = _name(label)
        before, now, after = (one[label]["state"] for one in (moment.before, moment.now, moment.after))
        if (before != after) != (name in moment.switched):
            yield f"{label} is {after} at the end"
        if now not in (before, after):
            yield f"{label} is {now}"
        if now == "disabled" and name not in recorded:
            yield f"{label} is disabled, and no tombstone says so"


def _names_nothing(moment: Moment) -> Iterator[str]:
    """Parameters, default versions of launch templates and instances name images that can be launched.

    What runs of an image goes on when it is disabled on purpose.
    """
    launchable = {
        _name(label)
        for label, one in moment.now.items()
        if label.startswith("image ") and one["state"] == "available"
    }
    for label, one in moment.now.items():
        for name in _named(label, one):
            if name.startswith(("ami ", "an id")) and name not in launchable | moment.switched:
                yield f"{label} names {name}, which cannot be launched"


def _named(label: str, one: dict[str, object]) -> Iterator[str]:
    if label.startswith("parameter ") and one["newest"]:
        yield str(one["value"])
    elif label.startswith("instance ") and one["state"] in ("pending", "running"):
        yield str(one["image"])
    elif label.startswith("launch template ") and one["default"]:
        data = one["data"]
        yield str(data.get("ImageId") if isinstance(data, dict) else "")


def _shared_early(moment: Moment) -> Iterator[str]:
    if not moment.together:
        return
    images = {label: one for label, one in moment.now.items() if label.startswith("image ")}
    ready: dict[str, set[str]] = defaultdict(set)
    for label, one in images.items():
        if one["state"] == "available":
            ready[_source(label, one)].add(_region(label))
    for label, one in images.items():
        missing = moment.together - ready[_source(label, one)]
        if one["permissions"] and label not in moment.before and missing:
            yield f"{label} is shared before a copy can be used in {', '.join(sorted(missing))}"


def _source(label: str, image: dict[str, Any]) -> str:
    """The image that this one is a copy of, or itself."""
    _region_of_source, name = image["source"]
    return str(name or _name(label))


def _name(label: str) -> str:
    """What names the image with this label."""
    return label.removeprefix("image ").split(" ", 1)[1]


def _region(label: str) -> str:
    return label.removeprefix("image ").split(" ", 1)[0].partition("/")[2]


def _snapshots(now: Picture, image: dict[str, dict[str, str]]) -> list[dict[str, str]]:
    wanted: Collection[str] = image["snapshots"].values()
    return [
        one
        for label, one in now.items()
        if label.startswith("snapshot ") and any(label.endswith(f" {name}") for name in wanted)
    ]


def _access(world: Picture, label: str) -> set[str]:
    one = world.get(label, {})
    if label.startswith(_SHARED):
        return set(one.get("permissions", ()))
    if label.startswith("key "):
        policy = json.dumps(one.get("policy", {}))
        grants = {f"grant {' '.join(grant)}" for grant in one.get("grants", ())}
        return {*grants, *(f"policy {account}" for account in _ACCOUNT.findall(policy))}
    if label.startswith("resource share "):
        return {entity for kind, entity, _status in one.get("associations", ()) if kind == "PRINCIPAL"}
    return set()
