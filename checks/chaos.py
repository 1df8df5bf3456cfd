# SPDX-License-Identifier: GPL-3.0-or-later
"""``tests/chaos`` in full, in portions that end within an hour."""

from __future__ import annotations

from checks import passed
from checks.commands import run

# The case that is running then still ends.
_MINUTES = 55


def check() -> None:
    """Run the cases that are not green on this commit yet, and begin none after 55 minutes.

    Raises:
        CheckError: a case is red, or some are left for the next run.
    """
    on = passed.commit()
    begun = passed.has_passed("chaos-begun", on)
    passed.note("chaos-begun", on)
    resume = ("--resume",) if begun else ()
    run("python", "-m", "tests.chaos", "--processes", "3", "--minutes", str(_MINUTES), *resume)
