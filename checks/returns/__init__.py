# SPDX-License-Identifier: GPL-3.0-or-later
"""Return values that several modules document alike, each written once, in ``<key>.yml`` beside this file.

A file has the fields that the modules share, in the layout of a RETURN block. A module keeps its fields that
the file lacks (``sample``, say), and those that ``OWN`` lists. ``images`` has no file, because its meanings
differ: the images as specified (ami_share), copies that are ready (ami_copy_regions), or images that a
rollback found (ami_publish).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from checks.commands import CheckError
from checks.paths import CHECKOUT

# The fields of a shared key that a module words itself, and why.
OWN: dict[str, dict[str, tuple[str, ...]]] = {
    "actions": {
        # They change nothing.
        "ami_share_diagnose": ("description",),
        "ami_shared_info": ("description",),
        "distribution_check": ("description",),
        # They write files.
        "ami_adoption": ("description",),
        "ami_share_audit": ("description",),
        "ami_verify": ("description",),
        "distribution_report": ("description",),
    },
    "failures": {
        # Findings can be failures.
        "ami_adoption": ("description",),
        "ami_share_audit": ("description",),
        "ami_share_diagnose": ("description",),
    },
}

# The order of the fields in a RETURN block.
_ORDER = ("description", "returned", "type", "elements", "sample", "contains")
_RETURN = re.compile(r'(?<=^RETURN = r"""\n).*?(?="""$)', re.DOTALL | re.MULTILINE)
_KEY = re.compile(r"^(\w+):\n", re.MULTILINE)
_FIELD = re.compile(r"^  (\w+):", re.MULTILINE)

Fields = Mapping[str, str]


def shared_keys(folder: Path) -> dict[str, Fields]:
    """The shared fields of each key, as text, from the files of a directory."""
    found = {}
    for file in sorted(folder.glob("*.yml")):
        text = file.read_text(encoding="utf-8").removeprefix("---\n")
        key, fields = next(_blocks(text))
        if key != file.stem:
            raise CheckError(f"{file.name} describes {key}")
        found[key] = fields
    return found


def with_shared(module: str, source: str, shared: Mapping[str, Fields]) -> str:
    """The source of a module with the shared fields in its RETURN block."""

    def rewritten(block: re.Match[str]) -> str:
        return "".join(_rewritten(module, key, own, shared) for key, own in _blocks(block.group()))

    return _RETURN.sub(rewritten, source)


def different(root: Path, shared: Mapping[str, Fields]) -> dict[Path, str]:
    """Each module below a root whose RETURN block differs from the shared texts, with its right source."""
    modules = sorted((root / "plugins" / "modules").glob("*.py"))
    if not modules:
        raise CheckError(f"no modules below {root}")
    sources = {path: path.read_text(encoding="utf-8") for path in modules}
    right = {path: with_shared(path.stem, source, shared) for path, source in sources.items()}
    return {path: source for path, source in right.items() if source != sources[path]}


def check() -> None:
    """Fail if a module documents a shared return value in other words.

    Raises:
        CheckError: with the modules.
    """
    if found := different(CHECKOUT, shared_keys(Path(__file__).parent)):
        names = ", ".join(path.stem for path in found)
        raise CheckError(f"RETURN of {names} differs from checks/returns/*.yml: run make format")


def write() -> None:
    """Put the shared texts into all modules."""
    for path, source in different(CHECKOUT, shared_keys(Path(__file__).parent)).items():
        path.write_text(source, encoding="utf-8")
        print(f"RETURN of {path.stem} rewritten")


def _blocks(text: str) -> Iterator[tuple[str, Fields]]:
    """Each key of a RETURN block, with its fields as text."""
    _before, *parts = _KEY.split(text)
    for key, body in zip(parts[::2], parts[1::2], strict=True):
        _none, *fields = _FIELD.split(body)
        yield (
            key,
            {name: f"  {name}:{rest}" for name, rest in zip(fields[::2], fields[1::2], strict=True)},
        )


def _rewritten(module: str, key: str, own: Fields, shared: Mapping[str, Fields]) -> str:
    kept = OWN.get(key, {}).get(module, ())
    ours = {name: text for name, text in shared.get(key, {}).items() if name not in kept}
    fields = {**own, **ours}
    if key not in shared:
        return f"{key}:\n{''.join(fields.values())}"
    return f"{key}:\n{''.join(fields[name] for name in sorted(fields, key=_ORDER.index))}"
