# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.benchmark [PART …]`, from the checkout's root: measure parts, and draw the pages.

Without a name, all parts that take less than an hour together. Results of other parts stay as they are
in the file of results, each with its own date. Linux only.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from checks.commands import run
from checks.paths import CHECKOUT
from simulated_aws.client import SimulatedAws

from . import drawings, floor, goals, machine, page, text, tools
from .measuring import Scale
from .parts import PARTS, Recipe
from .results import Part, Results, from_json, to_json

RESULTS = CHECKOUT / "tests" / "benchmark" / "results.json"
PAGE = CHECKOUT / "docs" / "benchmarks.md"
DETAILS = RESULTS.with_name("README.md")
PICTURES = DETAILS.parent / page.PICTURES


def main() -> int:
    """Measure the named parts and print each."""
    options = _options()
    known = read(options.results)
    for name in (
        () if options.draw else options.parts or [name for name, one in PARTS.items() if one.by_default]
    ):
        started = time.monotonic()
        part = _measure(PARTS[name], Scale(1, True) if options.trial else Scale())
        print(text.of(part), f"{name} took {time.monotonic() - started:.0f} s.", sep="\n", flush=True)
        if not options.trial:
            known = {**known, name: part}
            options.results.write_text(json.dumps(to_json(known), indent=1) + "\n", encoding="utf-8")
    if not options.trial:
        draw(known)
    if options.compare:
        print(text.comparison(read(options.compare), known))
    return 0


def read(path: Path) -> Results:
    """The results in a file; none if there is no such file."""
    return from_json(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def draw(results: Results) -> None:
    """Write the pages and their pictures."""
    results = {name: results[name] for name in PARTS if name in results}
    pictures = list(drawings.drawings(results))
    PICTURES.parent.mkdir(exist_ok=True)
    for path in PICTURES.parent.glob(f"{PICTURES.name}*.svg"):
        path.unlink()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([asdict(one) for one in pictures], file)
        file.flush()
        script = Path(drawings.__file__).with_name("draw.py")
        run(tools.program("python"), "-P", script, file.name, PICTURES)
    trips = floor.BEFORE + floor.AFTER
    outcomes = goals.outcomes(results)
    details = page.details(results, outcomes, pictures, trips, goals.slowness(results))
    DETAILS.write_text(details, encoding="utf-8")
    if any(one.name == page.PICTURE for one in pictures):
        shutil.copy(f"{PICTURES}{page.PICTURE}.svg", PAGE.parent / page.PICTURE_OF_PAGE)
    PAGE.write_text(page.page(results, pictures), encoding="utf-8")
    print(f"{DETAILS.relative_to(CHECKOUT)}: {goals.met(outcomes)} goals met")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--draw", action="store_true", help="measure nothing, draw the results again")
    parser.add_argument("--compare", type=Path, metavar="OLD", help="print the change from other results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file of results (%(default)s)")
    parser.add_argument(
        "--trial", action="store_true", help="each part once, with small sizes; keeps no results"
    )
    options = parser.parse_args()
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return options


def _measure(recipe: Recipe, scale: Scale) -> Part:
    print(f"\n{recipe.title} …", flush=True)
    # Set up first: that is no part of any measurement.
    versions = machine.versions(*((name, tools.version(name)) for name in ("c7n", "awspub")))
    before = machine.work()
    load = machine.Load()
    with SimulatedAws.start() as aws:
        series = tuple(recipe.measure(aws, scale))
        profiles = recipe.profiles(aws, scale) if recipe.profiles else {}
    busy = round(load.share(), 3)
    return Part(
        title=recipe.title,
        measured=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine.description(),
        versions=versions,
        busy=busy,
        conditions=recipe.conditions,
        series=series,
        profiles=profiles,
        work=(before, machine.work()),
    )


if __name__ == "__main__":
    sys.exit(main())
