# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Group findings by cause, so that a thousand findings with one cause are read at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, TypeVar

from .._listing import count
from .document import SEVERITIES, Column, Group, Item
from .naming import natural_key

FindingT = TypeVar("FindingT")

# A cause with this many findings is large.
_LARGE = 10
# A kind has at most this many large causes: if more have _LARGE findings, a cause needs a larger share.
_MOST_LARGE = 10
# Up to this many small causes have a group each.
_FEW_SMALL = 3
# The accounts and regions that the heading of a group names.
_MOST_NAMES = 3
_COLUMNS = (
    Column("region", "Region"),
    Column("name", "Name"),
    Column("image_id", "Image"),
    Column("resource", "Resource"),
    Column("principals", "Who"),
    Column("message", "Finding"),
)


def group_items(
    items: Sequence[Item],
    meanings: Mapping[str, str],
    cause: Callable[[Item], Hashable] = lambda _item: None,
    title: Callable[[Sequence[Item]], str] = lambda _items: "",
    names: Mapping[tuple[str | None, str | None], str] | None = None,
    urgency: Callable[[str], int] = lambda _code: 0,
    command: Callable[[Sequence[Item]], str] = lambda _items: "",
    command_note: Callable[[Sequence[Item]], str] = lambda _items: "",
) -> tuple[Group, ...]:
    """Return the findings by severity, code, remedy and cause: the worst kind first, then its largest group.

    ``cause`` is that of ``group_by_cause``.
    ``title`` is the sentence of a group, or empty if there is none for its code: the meaning of the code is
    shown then, and the message of each finding. ``names`` are those of images, by region and image ID.
    ``urgency`` is that of ``rank_kinds``. ``command`` is that of a group, and ``command_note`` about it.
    """
    groups_by_cause = group_by_cause(items, lambda item: (item.severity, item.code, item.remedy), cause)
    groups = [
        _add_command(_group(alike, meanings, title(alike), names or {}), command(alike), command_note(alike))
        for alike in groups_by_cause
    ]
    ranks = rank_kinds(((item.severity, item.code) for item in items), urgency)
    return tuple(
        sorted(groups, key=lambda group: (ranks[group.tone, group.code], -group.number, group.title))
    )


def group_by_cause(
    findings: Iterable[FindingT], kind: Callable[[FindingT], Hashable], cause: Callable[[FindingT], Hashable]
) -> list[list[FindingT]]:
    """Return the findings of each kind by ``cause``; more than a few small causes of a kind are one group.

    Accounts with access to one image each have nothing in common, and hundreds of them would be hundreds of
    groups. A cause is small if it has one finding, or less than ten and less than a tenth of its kind's. If
    more than ten causes of a kind have ten findings, only those with a tenth of its findings are not small.
    """
    kinds: dict[Hashable, dict[Hashable, list[FindingT]]] = {}
    for finding in findings:
        kinds.setdefault(kind(finding), {}).setdefault(cause(finding), []).append(finding)
    return [group for causes in kinds.values() for group in _join_small_causes([*causes.values()])]


def _join_small_causes(causes: list[list[FindingT]]) -> list[list[FindingT]]:
    # No more causes than _MOST_LARGE can have this share of all findings.
    share = sum(map(len, causes)) / _MOST_LARGE
    least = max(2, min(_LARGE, share))
    if sum(len(cause) >= least for cause in causes) > _MOST_LARGE:
        least = max(2, share)
    small = [cause for cause in causes if len(cause) < least]
    if len(small) <= _FEW_SMALL:
        return causes
    return [*(cause for cause in causes if len(cause) >= least), [*chain.from_iterable(small)]]


def rank_kinds(
    kinds: Iterable[tuple[str, str]], urgency: Callable[[str], int] = lambda _code: 0
) -> dict[tuple[str, str], int]:
    """Return the ranks of kinds, which are severities and codes: by severity, urgency and number of findings.

    ``urgency`` is the rank of a code among those of its severity; equal ranks are ordered by the number.
    """
    numbers = Counter(kinds)
    ordered = sorted(
        numbers, key=lambda kind: (SEVERITIES.index(kind[0]), urgency(kind[1]), -numbers[kind], kind[1])
    )
    return {kind: rank for rank, kind in enumerate(ordered)}


def _add_command(group: Group, command: str, note: str) -> Group:
    return replace(group, command=command, command_note=note) if command else group


def _name_place(items: Sequence[Item]) -> str:
    """Return the accounts and the regions of findings: up to three of each by name, more by number."""
    parts = (("account", [item.account_id for item in items]), ("region", [item.region for item in items]))
    return " · ".join(filter(None, (_name_few(noun, values) for noun, values in parts)))


def _name_few(noun: str, values: Iterable[str | None]) -> str:
    names = sorted({value for value in values if value})
    if len(names) > _MOST_NAMES:
        return count(len(names), noun)
    listed = ", ".join(names)
    return f"{noun} {listed}" if listed and noun == "account" else listed


def _group(
    items: Sequence[Item],
    meanings: Mapping[str, str],
    title: str,
    names: Mapping[tuple[str | None, str | None], str],
) -> Group:
    first, single = items[0], len(items) == 1
    meaning = meanings.get(first.code, "")
    with_messages = not (title or single)
    rows = sorted(
        _rows(items, names, with_messages),
        key=lambda row: (
            row["region"] or "",
            natural_key(row["name"]),
            row["image_id"] or "",
            row["resource"],
        ),
    )
    distinct = {tuple(row["principals"]) for row in rows}
    notes = [("Remedy", first.remedy), ("Meaning", meaning)]
    if len(distinct) == 1 and (len(rows) > 1 or len(rows[0]["principals"]) > 1):
        # Last, because it can be hundreds.
        notes.append(("Who", ", ".join(rows[0]["principals"])))
        rows = [{**row, "principals": []} for row in rows]
    return Group(
        label=first.severity,
        tone=first.severity,
        title=title or (first.message if single else _sentence(items, meaning)),
        number=len(items),
        columns=tuple(column for column in _COLUMNS if any(row[column.key] for row in rows)),
        rows=tuple(rows),
        notes=tuple((name, text) for name, text in notes if text),
        code=first.code,
        place=_name_place(items),
    )


def _sentence(items: Sequence[Item], meaning: str) -> str:
    """Return a sentence for findings that have only their code in common."""
    regions = {item.region for item in items if item.region}
    where = f" in {count(len(regions), 'region')}" if regions else ""
    messages = {item.message for item in items}
    text = messages.pop() if len(messages) == 1 else meaning or items[0].code.replace("_", " ")
    return f"{count(len(items), 'finding')}{where}: {text}"


def _rows(
    items: Iterable[Item], names: Mapping[tuple[str | None, str | None], str], with_messages: bool
) -> Iterator[dict[str, Any]]:
    """Yield one row for each resource, with all principals that the findings about it name."""
    items_by_row: dict[tuple[Any, ...], list[Item]] = {}
    for item in items:
        message = item.message if with_messages else ""
        items_by_row.setdefault((item.region, item.image_id, item.resource, message), []).append(item)
    for (region, image_id, resource, message), alike in items_by_row.items():
        principals = dict.fromkeys(item.principal for item in alike if item.principal not in (None, "all"))
        yield {
            "region": region,
            "name": names.get((region, image_id), ""),
            "image_id": image_id,
            "resource": "" if resource == image_id else resource or "",
            "principals": [*principals],
            "message": message,
        }
