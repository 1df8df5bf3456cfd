# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions of a cleanup, by stage and family: the first part of its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._finding import Severity
from ..._listing import count
from ..._reports.document import Column, Group
from ..._reports.naming import image_order, natural_key
from .outcome import NOT_DONE, STAGES
from .prices import read_report_prices
from .rows import FREED, IMAGE, NEWEST, OUTCOME, REASON, SIZE, list_cost_columns, make_row
from .wording import PAST, render_money

_SAME = (("outcome_text", "Outcome"), ("reason", "Reason"))


def list_actions(content: Mapping[str, Any]) -> Iterator[Group]:
    """Yield the images that a stage was due for, by stage and family, the most destructive first."""
    for stage in STAGES:
        families: dict[str, list[Mapping[str, Any]]] = {}
        for image in content["images"]:
            if image["decision"] == stage:
                families.setdefault(image["family"], []).append(image)
        for family in sorted(families, key=lambda name: (-len(families[name]), natural_key(name))):
            yield _make_group(content, stage, family, families[family])


def _make_group(
    content: Mapping[str, Any], stage: str, family: str, images: Sequence[Mapping[str, Any]]
) -> Group:
    rows = [make_row(image) for image in sorted(images, key=image_order)]
    same = {key: rows[0][key] for key, _title in _SAME if len({row[key] for row in rows}) == 1}
    columns = (
        *(column for column in IMAGE if column.key != "family"),
        NEWEST,
        *(column for column in (OUTCOME, REASON) if column.key not in same),
        *(SIZE, FREED, *list_cost_columns(content, "freed_monthly_cost", "Freed a month")),
        *(Column("snapshots", "Snapshots"), Column("recoverable_until", "Recoverable until")),
        Column("next", "Next stage"),
    )
    undone = any(image["outcome"] == NOT_DONE for image in images)
    return Group(
        label=stage,
        tone=Severity.MEDIUM.label if undone and not content["check_mode"] else "neutral",
        title=_render_title(content, stage, family, images),
        number=len(images),
        columns=tuple(column for column in columns if any(row[column.key] for row in rows)),
        rows=tuple(rows),
        notes=tuple((title, same[key]) for key, title in _SAME if same.get(key)),
    )


def _render_title(
    content: Mapping[str, Any], stage: str, family: str, images: Sequence[Mapping[str, Any]]
) -> str:
    """Return a sentence such as ``16 golden-base images in 8 regions would be deregistered.``"""
    is_plan = content["check_mode"]
    regions = {image["region"] for image in images}
    where = next(iter(regions)) if len(regions) == 1 else count(len(regions), "region")
    single = len(images) == 1
    verb = "would be" if is_plan else "was" if single else "were"
    undone = 0 if is_plan else sum(image["outcome"] == NOT_DONE for image in images)
    noun = f"{family} image" if family else "image"
    text = f"{count(len(images), noun)} in {where} {verb} {PAST[stage]}"
    if undone:
        text = f"{text}, except for {undone}"
    gib = sum(image["freed_gib"] for image in images)
    freed = read_report_prices(content).total((image["region"], image["freed_gib"]) for image in images)
    cost = render_money(freed, content["currency"])
    saved = f" ({cost} a month)" if cost else ""
    frees = "would free" if is_plan else "frees"
    return f"{text}, which {frees} at most {gib:,} GiB{saved}." if gib else f"{text}."
