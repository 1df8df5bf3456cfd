# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.benchmark [NAME …]`, from the checkout's root: all benchmarks, or some.

Exits with 1 if a target is missed. Times depend on the machine and on what else it runs: each time is also
given as a number of tasks with amazon.aws.aws_caller_info, which take as long.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulated_aws.client import SimulatedAws

from . import audit, cleanup, comparison, diagnosis, distribution, many_accounts, playbook, simulator, start
from .figures import REFERENCE, Figure, table
from .fixtures import OWNER, fixture


@dataclass(frozen=True)
class Benchmark:
    """A benchmark, which gets a simulated AWS of its own."""

    title: str
    measure: Callable[[SimulatedAws], Iterator[Figure]]


BENCHMARKS = {
    "start": Benchmark("Starting a module", start.measure),
    "distribution": Benchmark("8 regions × 50 accounts", distribution.of(distribution.PLAIN)),
    "grants": Benchmark(
        "8 regions × 50 accounts, encrypted, by grants", distribution.of(distribution.GRANTS)
    ),
    "key-policies": Benchmark(
        "8 regions × 50 accounts, encrypted, by key policies", distribution.of(distribution.KEY_POLICY)
    ),
    "many-accounts": Benchmark("1,000 accounts in one region", many_accounts.measure),
    "many-grants": Benchmark(
        "20 regions × 500 accounts, encrypted, by grants", distribution.of(distribution.MANY_GRANTS)
    ),
    "many-key-policies": Benchmark(
        "20 regions × 500 accounts, encrypted, by key policies",
        distribution.of(distribution.MANY_IN_KEY_POLICY),
    ),
    "diagnosis": Benchmark("Diagnosing 200 accounts × 5 regions", diagnosis.of(encrypted=False)),
    "diagnosis-encrypted": Benchmark(
        "Diagnosing 200 accounts × 5 regions, encrypted", diagnosis.of(encrypted=True)
    ),
    "audit": Benchmark("Auditing 1,000 images in one region", audit.in_one_region),
    "audit-large": Benchmark("Auditing 10,000 images in 20 regions", audit.in_many_regions),
    "cleanup": Benchmark("Cleaning up 300 images in one region", cleanup.one_region),
    "many-cleanup": Benchmark("Cleaning up 8,000 images in 8 regions", cleanup.many_regions),
    "simulator": Benchmark("The simulated AWS itself", simulator.measure),
    "comparison": Benchmark("8 regions × 50 accounts with other collections", comparison.measure),
}


def main() -> int:
    """Run the named benchmarks, print a table of each, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    met = [_run(BENCHMARKS[name]) for name in names]
    return 0 if all(met) else 1


def _run(benchmark: Benchmark) -> bool:
    print(f"\n{benchmark.title}", flush=True)
    with SimulatedAws.start() as aws:
        before = _yardstick(aws)
        figures = list(benchmark.measure(aws))
        # Other programs may use the machine, too: measured before and after.
        after = _yardstick(aws)
    yardstick = statistics.mean((before, after))
    print(table(figures, yardstick))
    print(
        f"A task with aws_caller_info took {before:.2f} s before and {after:.2f} s after; "
        f"{REFERENCE} s where the targets were set."
    )
    return all(figure.verdict(yardstick) != "missed" for figure in figures)


def _yardstick(aws: SimulatedAws) -> float:
    aws.reset()
    aws.load_fixture(fixture(accounts=1))
    return playbook.yardstick(aws, OWNER)


if __name__ == "__main__":
    sys.exit(main())
