# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn drawings into SVG files; run by the benchmark's environment, which has matplotlib.

    python draw.py DRAWINGS PREFIX

DRAWINGS is a JSON file with a list of drawings.Drawing, PREFIX what the paths of the pictures begin with. The
same drawings give the same bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "golden.images", "svg.fonttype": "none", "font.size": 8})

from matplotlib import pyplot as plt  # noqa: E402  (the backend is chosen before)

WIDTH, HEIGHT = 3.2, 2.6
"""Inches of a panel."""
COLORS = ("#0b7285", "#868e96", "#adb5bd", "#ced4da", "#e9ecef")
"""This collection's first."""


def main(source: str, prefix: str) -> None:
    """Draw each picture."""
    for drawing in json.loads(Path(source).read_text(encoding="utf-8")):
        draw(drawing, Path(f"{prefix}{drawing['name']}.svg"))


def draw(drawing: dict[str, Any], path: Path) -> None:
    """Draw one picture."""
    panels = drawing["panels"]
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH * len(panels), HEIGHT), squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        axis.set_title(panel["title"], fontsize=8)
        (_bars if panel["bars"] else _lines)(axis, panel)
        axis.spines[["top", "right"]].set_visible(False)
        if panel["lines"]:
            axis.set_xlabel(drawing["axis"])
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _bars(axis: Any, panel: dict[str, Any]) -> None:
    labels, values = list(panel["bars"]), list(panel["bars"].values())
    colors = [COLORS[min(number, len(COLORS) - 1)] for number in range(len(labels))]
    drawn = axis.barh(labels, values, color=colors)
    axis.bar_label(drawn, [f"{value:,.4g}" for value in values], padding=2, fontsize=7)
    axis.invert_yaxis()
    axis.margins(x=0.2)


def _lines(axis: Any, panel: dict[str, Any]) -> None:
    for number, (label, points) in enumerate(panel["lines"].items()):
        sizes, medians, least, most = zip(*points, strict=True)
        axis.plot(sizes, medians, "o-", markersize=3, color=COLORS[number], label=label)
        axis.fill_between(sizes, least, most, color=COLORS[number], alpha=0.2, linewidth=0)
    axis.set_ylim(bottom=0)
    axis.set_xlim(left=0)
    if len(panel["lines"]) > 1:
        axis.legend(frameon=False, fontsize=7)


if __name__ == "__main__":
    main(*sys.argv[1:])
