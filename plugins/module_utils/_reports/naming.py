# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of images: their family and version, and the order in which people count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

# Additions to the source's name in the name of a copy: by default the source's ID, and the value of {region}.
# IDs have 8 or 17 digits (EC2 User Guide, "Resource IDs"). Those of a date are a version: base-ami-20261101.
_OF_COPY = re.compile(
    r"(?:^|[\W_]+)(?:"
    r"ami-(?!20\d\d[01]\d[0-3]\d(?:\d{9})?(?![^\W_]))(?:[0-9a-f]{17}|[0-9a-f]{8})|"
    r"(?:af|ap|ca|cn|eu|eusc|il|me|mx|sa|us)(?:-(?:de|gov|iso[a-z]?))?"
    r"-(?:central|(?:north|south)?(?:east|west)|north|south)-\d"
    r")(?!\.?[^\W_])[)\]]?"
)
_ARCHITECTURE = r"(?:aarch64|amd64|arm64|i386|x86[-_]64)(?![^\W_])"
_OF_ARCHITECTURE = re.compile(rf"[\W_]+{_ARCHITECTURE}", re.IGNORECASE)
# Words inside a version, with their number: 1.2.0-rc.1, 2026.11.1-build-7. In web-3-test-2026.11.1, the word
# is followed by a version of its own.
_WORD = (
    r"[\W_]+(?:alpha|beta|build|dev|hotfix|patch|pre|rc|rev|test)"
    r"(?:\.?\d+|[\W_]\d{1,3}|(?![\W_]\d{4}))(?![^\W_])"
)
# Numbers of the system, which are not the version of the image: ubuntu-22.04-web. A year before a month is
# a date.
_SYSTEM = (
    rf"(?<![^\W_])(?:{_ARCHITECTURE}|kernel[\W_]?\d+\.\d+|(?:"
    r"ubuntu[\W_]?\d\d[\W_]?(?:04|10)|"
    r"(?:windows(?:[\W_]?server)?|amazon[\W_]?linux|al|amzn)[\W_]?"
    r"(?:2|20(?:08|1[269]|2[235])(?![\W_]\d\d?(?!\d)))|"
    r"(?:alma(?:[\W_]?linux)?|centos(?:[\W_]?stream)?|debian|eks|fedora|k8s|kubernetes|ol|oracle[\W_]?linux|"
    r"rhel|rocky(?:[\W_]?linux)?|sles)[\W_]?\d{1,2}(?:\.\d{1,2})?(?:\.0)?)"
)
_RELEASES = tuple(
    re.compile(rf"{_SYSTEM}{last})(?!\.?[^\W_])", re.IGNORECASE)
    # At the end of a name without another number, as in golden-rhel-9, they are the version.
    for last in ("", rf"(?!(?:{_WORD})?(?:[\W_]+{_ARCHITECTURE})?[\W_]*$)")
)
# Parts that begin with a digit, after a separator and perhaps a "v": 2026.11.1, 2026-11-01T12-30, v3.
_VERSION = re.compile(rf"(?<![^\W_])v?(\d[^\W_]*(?:[\W_]+\d[^\W_]*|{_WORD})*)", re.IGNORECASE)
# A version by its form, whatever number follows it: 2026.11.1-cis-level-1.
_DOTTED_OR_DATE = re.compile(r"v?(?:\d{8}|\d{10}|\d+[._-]\d)", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_SEPARATORS = "-_. /()[]'@"
_NUMBERS = re.compile(r"(\d+)")
_PARTS = re.compile(r"\d+|[^\W\d_]+")
# In the order of PEP 440, and words of builds before a release. Its letters "a" and "b" are left out, since
# 2026.11.1b is a rebuild.
_PRE_RELEASES = ("nightly", "snapshot", "dev", "alpha", "beta", "preview", "pre", "rc")

NaturalKey: TypeAlias = "tuple[tuple[int, int, str], ...]"
"""A sort key in which numbers are compared as numbers."""


def natural_key(text: str) -> NaturalKey:
    """Return a sort key that puts 2026.8 before 2026.10."""
    return tuple(
        (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part)
        for part in _NUMBERS.split(text)
        if part
    )


def image_order(image: Mapping[str, Any]) -> tuple[str, NaturalKey, str]:
    """Return a sort key for the images of a report: by region, and there by name."""
    return image["region"], natural_key(str(image["name"] or "")), image["image_id"]


def version_order(version: str) -> NaturalKey:
    """Return a sort key that puts version 1.2.0-rc1 before 1.2.0, that before 1.2.0-test, and 1.2.0.1 last.

    It compares numbers as numbers, and words without their case; separators do not count.
    """
    return (*map(_rank, _PARTS.findall(version.lower())), (1, 0, ""))


def parse_family(name: str) -> str:
    """Return the name of an image without its version: ``golden-web`` of ``golden-web-2026.11.1``.

    An architecture after the version belongs to the family. The ID of the source, with which the name of a
    copy ends by default, and names of regions belong to neither. A name without a version is the family.
    """
    return _split(name)[0]


def parse_version(name: str) -> str:
    """Return the version in an image's name: ``2026.11.1`` of ``golden-web-2026.11.1``; empty without one.

    It is the last dotted number or date, else the last number, with what follows it:
    ``ubuntu-22.04-web-2026.11.1-fips`` has ``2026.11.1-fips``.
    """
    return _split(name)[1]


@lru_cache(maxsize=65_536)
def _split(name: str) -> tuple[str, str]:
    """Return the family and the version, from a cache: each finding of an image asks for both."""
    core = _OF_COPY.sub("", name).lstrip(_SEPARATORS)
    matches = next(filter(None, (_versions(core, release) for release in _RELEASES)), None)
    if matches is None:
        return core or name, ""
    versions = [match for match in matches if _DOTTED_OR_DATE.match(match[0])] or matches
    version = core[versions[-1].start(1) :]
    architecture = _OF_ARCHITECTURE.search(version)
    suffix = architecture[0] if architecture else ""
    return core[: versions[-1].start()].rstrip(_SEPARATORS) + suffix, version.replace(suffix, "", 1)


def _versions(core: str, release: re.Pattern[str]) -> list[re.Match[str]]:
    """Return the parts after a letter that look like versions and are not a system's release."""
    masked = release.sub(lambda system: "x" * len(system[0]), core)
    return [match for match in _VERSION.finditer(masked) if _LETTER.search(core[: match.start()])]


def _rank(part: str) -> tuple[int, int, str]:
    """Return the sort key of a version's part: pre-releases come before the end, which has 1."""
    if part in _PRE_RELEASES:
        return 0, _PRE_RELEASES.index(part), ""
    return (3, int(part), "") if part.isdecimal() else (2, 0, part)
