# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell each cause once: the texts of regions and accounts that differ only in these and in IDs are one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

MOST_NAMED = 10
"""Regions, accounts and other names that a text lists; more are counted."""
_ACCOUNT_ID = re.compile("[0-9]{12}")
# IDs of EC2, of KMS keys and grants, and of requests; the encoded request of a denial (STS API Reference,
# DecodeAuthorizationMessage). They differ in each region although the cause is the same.
_IDS = re.compile(
    r"\b[a-z]{1,8}-(?:[0-9a-f]{17}|[0-9a-f]{8})\b"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\bmrk-[0-9a-f]{32}\b"
    r"|\b[0-9a-f]{64}\b"
    r"|(?<=Encoded authorization failure message: )\S+"
)


class Occurrence(NamedTuple):
    """A text about a region and an account, or another consumer, if it is about one."""

    text: str
    region: str | None = None
    consumer: str | None = None


class Cause(NamedTuple):
    """A text, and the place that precedes it, which is empty or ends with a colon and a space."""

    place: str
    text: str


def find_causes(occurrences: Iterable[Occurrence], rest: str) -> tuple[Cause, ...]:
    """Return the causes of all occurrences, each once and with all its regions and accounts.

    Up to ten of each are named. Of more, ``rest`` says where they are. IDs, ARNs and accounts in a text are
    those of its first place.
    """
    numbers: Counter[tuple[str, str | None, str | None]] = Counter()
    groups: dict[tuple[str, int], list[Occurrence]] = {}
    for occurrence in dict.fromkeys(occurrences):
        general = _remove_names(occurrence)
        # Two images of a region that fail alike are two problems there.
        same_place = (general, occurrence.region, occurrence.consumer)
        groups.setdefault((general, numbers[same_place]), []).append(occurrence)
        numbers[same_place] += 1
    return tuple(_describe_cause(group, rest) for group in groups.values())


def _remove_names(occurrence: Occurrence) -> str:
    """Return the text without what differs between places with the same cause."""
    text = occurrence.text
    for name, sign in ((occurrence.consumer, "<consumer>"), (occurrence.region, "<region>")):
        text = text.replace(name, sign) if name else text
    return _IDS.sub("<id>", text)


def _describe_cause(group: Sequence[Occurrence], rest: str) -> Cause:
    first = group[0]
    regions = [*dict.fromkeys(one.region for one in group if one.region)]
    consumers = [*dict.fromkeys(one.consumer for one in group if one.consumer)]
    if len(group) == 1:
        return Cause(_describe_place(regions, consumers, first.text), first.text)
    texts = {_remove_region(one) if len(regions) > 1 else one.text for one in group}
    if len(texts) == 1:
        text = texts.pop()
        is_long = max(len(regions), len(consumers)) > MOST_NAMED
        place = _describe_place(regions, consumers, text)
        return Cause(place, f"{text} All of them are in {rest}." if is_long else text)
    place = _describe_place(regions[:1], consumers[:1], first.text)
    return Cause(place, f"{first.text} {_describe_others(group, regions[1:], consumers[1:], rest)}")


def _remove_region(occurrence: Occurrence) -> str:
    """Return the text with ``there`` for ``in eu-west-1``, which precedes it."""
    return re.sub(rf"(?<=\w) in {re.escape(str(occurrence.region))}(?![\w-])", " there", occurrence.text)


def _describe_place(regions: Sequence[str], consumers: Sequence[str], text: str) -> str:
    """Return the regions and the accounts before a text, without a single account that it names."""
    names = [] if len(consumers) == 1 and consumers[0] in text else consumers
    parts = (_name_or_count(regions, "region"), _describe_consumers(names))
    place = " in ".join(part for part in parts if part)
    return f"{place}: " if place else ""


def _describe_others(
    group: Sequence[Occurrence], regions: Sequence[str], consumers: Sequence[str], rest: str
) -> str:
    """Return the sentence that names the other places with the same cause."""
    is_everywhere = len(group) == max(1, len(regions) + 1) * max(1, len(consumers) + 1)
    parts = (
        ("in", _name_or_count(regions, "other region")),
        ("for", _describe_consumers(consumers, "other ")),
    )
    text = " and ".join(f"{word} {names}" for word, names in parts if names)
    times = "The same" if is_everywhere else f"The same {len(group) - 1:,} more times,"
    is_long = max(len(regions), len(consumers)) > MOST_NAMED
    return f"{times} {text}{f', all in {rest}' if is_long else ''}."


def _describe_consumers(consumers: Sequence[str], kind: str = "") -> str:
    """Return accounts, or other consumers, by name if they are few."""
    if not all(map(_ACCOUNT_ID.fullmatch, consumers)):
        return _name_or_count(consumers, f"{kind}consumer")
    names = _name_or_count(consumers, f"{kind}account")
    if not consumers or len(consumers) > MOST_NAMED:
        return names
    return f"{'account' if len(consumers) == 1 else 'accounts'} {names}"


def _name_or_count(names: Sequence[str], noun: str) -> str:
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names):,} {noun}s"
