# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the tombstones of images: in a file, in S3, in Parameter Store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..aws import errors
from ..aws.clients import Clients
from ..cleanup.tombstone import Tombstone, TombstoneHistory, by_image, read_tombstone
from ..failures import Refused, invalid_option
from ..fanout import each
from ..model import ImageRef, Target
from . import read_tombstone_parameters as tombstones
from .state import RestoreWanted

Reader = Callable[[ImageRef], Iterable[str]]


def read_tombstones(
    clients: Clients, wanted: RestoreWanted, account_id: str
) -> tuple[Mapping[ImageRef, TombstoneHistory], tuple[str, ...]]:
    """The account's tombstones of the wanted images, and a warning for each text that is none.

    Raises:
        Refused: a place that the user named cannot be read.
    """
    texts: list[tuple[str, str]] = []
    if wanted.places.path:
        texts += _lines(wanted.places.path)
    if wanted.places.s3_uri:
        texts += _each(clients, wanted, account_id, "tombstone_s3_uri", _s3(clients, wanted.places.s3_uri))
    if wanted.places.ssm_path:
        texts += _each(
            clients, wanted, account_id, "tombstone_ssm_path", _ssm(clients, wanted.places.ssm_path)
        )
    found: list[Tombstone] = []
    unreadable = []
    for place, text in texts:
        one = read_tombstone(text)
        if one is None:
            unreadable.append(f"{place} is no tombstone: it is left out.")
        elif one.ref in wanted.images:
            found.append(one)
    return by_image(found, account_id), tuple(unreadable)


def _lines(path: str) -> list[tuple[str, str]]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as exception:
        remedy = "Let it be read, or name another file."
        raise Refused(
            [invalid_option("tombstone_path", f"tombstone_path: {exception}", remedy)]
        ) from exception
    lines = enumerate(text.splitlines(), start=1)
    return [(f"Line {number} of {path}", line) for number, line in lines if line.strip()]


def _s3(clients: Clients, uri: str) -> Reader:
    clients.open("s3", [clients.home])
    s3 = clients.client("s3", clients.home)
    bucket, _slash, prefix = uri.removeprefix("s3://").partition("/")
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    return lambda ref: tombstones.from_s3(s3, bucket, f"{folder}{ref.region}/{ref.image_id}/")


def _ssm(clients: Clients, path: str) -> Reader:
    clients.open("ssm", [clients.home])
    ssm = clients.ssm(clients.home)
    return lambda ref: tombstones.from_ssm(ssm, f"{path.rstrip('/')}/{ref.region}/{ref.image_id}")


def _each(
    clients: Clients, wanted: RestoreWanted, account_id: str, option: str, reader: Reader
) -> list[tuple[str, str]]:
    done, failed = each(wanted.images, reader)
    if failed:
        raise Refused(
            errors.failure(exception, Target(account_id, clients.home), option)
            for exception in failed.values()
        )
    return [(f"What {option} has of {ref}", text) for ref, texts in done.items() for text in texts]
