# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that no member of an AWS answer is read by subscript that may be missing.

botocore omits a member that the answer lacks, lists included. Its models require few members of answers;
``table.ALWAYS`` has the others that are always there.

python -m checks.responses         lists each read that may fail
python -m checks.responses --list  lists the operations that each package of plugins/ calls
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from checks.commands import CheckError
from checks.paths import CHECKOUT
from checks.responses import sources
from checks.responses.models import Structure, load
from checks.responses.reads import Reader
from checks.responses.table import ALWAYS

_FIX = "read it by .get() with a meaning, or by aws/answers.required"


def breaches(root: Path, always: Mapping[str, str] = ALWAYS) -> list[str]:
    """Each read that may fail, as a line; also what in the table and in calls of ``required`` is wrong."""
    models = load()
    found = sources.read(root, models)
    used: set[str] = set()
    lines: list[tuple[str, int, str]] = []
    for function in found.functions.values():
        file = function.file
        reader = Reader(found, models, function)
        lines += ((file, line, "name the client after its service") for line in function.unclear)
        lines += ((file, one.line, one.text) for one in reader.unknown())
        for read in reader.reads():
            if read.is_error:
                text = f"['{read.member}'] of an error may be missing: use errors.code_of or message_of"
                lines.append((file, read.line, text))
                continue
            used |= {one.full_name(read.member) for one in read.structures} & always.keys()
            if missing := list(_optional(read.structures, read.member, always)):
                lines.append((file, read.line, f"{', '.join(missing)} may be missing: {_FIX}"))
    texts = [f"{file}:{line}: {text}" for file, line, text in sorted(set(lines))]
    return texts + [
        f"checks/responses/table.py: nothing reads {name}" for name in sorted(always.keys() - used)
    ]


def _optional(structures: tuple[Structure, ...], member: str, always: Mapping[str, str]) -> Iterator[str]:
    for one in structures:
        if not one.requires(member) and one.full_name(member) not in always:
            yield one.full_name(member)


def operations(root: Path) -> dict[str, list[str]]:
    """Package to the operations that it needs, as ``service:Operation``."""
    found = sources.read(root, load())
    needed = {package: found.operations_for(package) for package in found.packages}
    return {package: sorted(map(str, of_room)) for package, of_room in needed.items() if of_room}


def check() -> None:
    """Fail if a member is read by subscript that may be missing.

    Raises:
        CheckError: with the number of reads, after each was printed.
    """
    if found := breaches(CHECKOUT):
        print(*found, sep="\n")
        raise CheckError(f"{len(found)} reads of members that an answer may lack")
