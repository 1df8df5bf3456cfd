# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of the calls of one region: images are disabled or deregistered in rounds.

The permissions of a round's images are read right before its first call, so that they are a few seconds old.
An example, with two images in a round::

    planned     mark snap-1 snap-2 snap-3, deregister ami-1, ami-2, ami-3
    1st round   look at ami-1 and ami-2, mark snap-1 snap-2, deregister ami-1 and ami-2
    2nd round   look at ami-3, mark snap-3, deregister ami-3
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from .._plan import Action, batches
from .snapshots import SNAPSHOT_TAG

DEREGISTER_IMAGE = "DeregisterImage"
# The operations that stop launches of an image.
RETIRING = ("DisableImage", DEREGISTER_IMAGE)
# Images in a round. AWS allows five deregistrations a second after a burst: a round takes seven seconds. The
# IDs of these images fill three marks of snapshots.
ROUND = 33


@dataclass(frozen=True)
class Round:
    """Groups of calls of one operation each; a group starts when the one before it is done.

    ``retiring`` are the calls among them that disable or deregister images.
    """

    groups: tuple[tuple[Action, ...], ...]
    retiring: tuple[Action, ...] = ()


def list_rounds(actions: Sequence[Action], depends_on: Mapping[str, Collection[str]]) -> Iterator[Round]:
    """Yield the actions in their order, but the marks of snapshots in the round that deregisters their image.

    A snapshot of several images is marked with the last of them. So no snapshot of an image that stays is
    marked. ``depends_on`` maps snapshots to their images.
    """
    to_come = {str(action.resource) for action in actions if action.operation == DEREGISTER_IMAGE}
    marks: tuple[Action, ...] = ()

    def has_image_to_come(snapshot_id: str) -> bool:
        return not to_come.isdisjoint(depends_on.get(snapshot_id, ()))

    for (operation, writes_marks), same_kind in groupby(actions, key=_kind_of):
        group = tuple(same_kind)
        if writes_marks:
            held, others = _split(group, has_image_to_come)
            marks += held
            yield from ([Round((others,))] if others else [])
        elif operation in RETIRING:
            for batch in batches(group, ROUND):
                to_come -= {str(action.resource) for action in batch}
                marks, here = _split(marks, has_image_to_come)
                yield Round((*([here] if here else []), tuple(batch)), tuple(batch))
        else:
            yield Round((group,))


def limit_to(action: Action, resources: list[str]) -> Action:
    """Return an action on several resources for some of them."""
    parameters = {**action.parameters, "Resources": resources}
    return replace(action, parameters=parameters, resource=", ".join(resources))


def list_resources(action: Action) -> list[str]:
    """Return the resources that an action changes."""
    return list(action.parameters.get("Resources", [action.resource]))


def _kind_of(action: Action) -> tuple[str, bool]:
    if action.operation != "CreateTags":
        return action.operation, False
    keys = {tag["Key"] for tag in action.parameters["Tags"]}
    return action.operation, SNAPSHOT_TAG in keys


def _split(
    marks: Sequence[Action], is_wanted: Callable[[str], bool]
) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Return the marks of the snapshots that are wanted, and all other marks."""
    wanted: list[Action] = []
    others: list[Action] = []
    for action in marks:
        resources = list_resources(action)
        chosen = [resource for resource in resources if is_wanted(resource)]
        if len(chosen) == len(resources):
            wanted.append(action)
            continue
        wanted += [limit_to(action, chosen)] if chosen else []
        others.append(limit_to(action, [resource for resource in resources if resource not in chosen]))
    return tuple(wanted), tuple(others)
