# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the tombstones of images to retire: to a file, to S3, to Parameter Store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, BinaryIO

from .._aws import errors
from .._aws.clients import Clients
from .._aws.parameters import put_once
from .._failures import Failure
from .._fanout import map_parallel
from .._model import ImageRef
from .._wording import LONGEST_PATH, file_reason, shorten
from .decisions import Decision
from .options import CleanupOptions
from .state import CleanupState
from .tombstone import add_bucket_owner_hint, find_object_folder, name_parameter, render_tombstone

_REMEDY = "No image was disabled or deregistered."


def write_tombstones(
    clients: Clients, options: CleanupOptions, state: CleanupState, retired: Iterable[Decision]
) -> tuple[Failure, ...]:
    """Write a tombstone of each image, durably, to every place that the user names.

    Returns:
        Why some could not be written.
    """
    texts = {decision.ref: render_tombstone(state, decision) for decision in retired}
    if not texts:
        return ()
    return (
        *_append_to_file(options.tombstone_path, texts, state),
        *_put_each(
            clients,
            texts,
            state,
            ("tombstone_s3_uri", options.tombstone_s3_uri),
            _open_bucket(clients, options, state),
        ),
        *_put_each(
            clients,
            texts,
            state,
            ("tombstone_ssm_path", options.tombstone_ssm_path),
            _open_parameters(clients, options.tombstone_ssm_path),
        ),
    )


def _append_to_file(path: str | None, texts: dict[ImageRef, str], state: CleanupState) -> tuple[Failure, ...]:
    """Append a line for each image."""
    return () if path is None else append_lines(path, texts.values(), state.account_id, _REMEDY)


def append_lines(path: str, lines: Iterable[str], account_id: str, remedy: str) -> tuple[Failure, ...]:
    """Append lines to the file ``tombstone_path``, and wait until they are on the disk.

    Returns:
        Why they could not be written; ``remedy`` says what was not done because of that.
    """
    try:
        with open(path, "ab+") as file:
            # A line that a killed run left incomplete must not spoil the next one.
            all_lines = [*([""] if _ends_within_a_line(file) else ()), *lines]
            file.writelines(f"{line}\n".encode() for line in all_lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exception:
        return (
            Failure(
                message=f"tombstone_path: {shorten(str(path), LONGEST_PATH)}: {file_reason(exception)}.",
                remedy=f"Make the file writable, or set another tombstone_path. {remedy}",
                error_code="tombstone_not_written",
                action="tombstone_path",
                account_id=account_id,
            ),
        )
    return ()


def _ends_within_a_line(file: BinaryIO) -> bool:
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def _open_bucket(
    clients: Clients, options: CleanupOptions, state: CleanupState
) -> Callable[[ImageRef, str], Any] | None:
    """Return a function that puts a tombstone into the bucket of the expected owner."""
    uri, owner = options.tombstone_s3_uri, options.tombstone_s3_bucket_owner or state.account_id
    if uri is None:
        return None
    clients.open("s3", [clients.default_region])
    s3 = clients.client("s3", clients.default_region)

    def put(ref: ImageRef, text: str) -> None:
        folder = find_object_folder(uri, ref)
        key = folder.key(state.now)
        s3.put_object(
            Bucket=folder.bucket,
            Key=key,
            Body=text.encode(),
            ContentType="application/json",
            ExpectedBucketOwner=owner,
        )

    return put


def _open_parameters(clients: Clients, path: str | None) -> Callable[[ImageRef, str], Any] | None:
    if path is None:
        return None
    region, limited = clients.default_region, clients.rate_limited("PutParameter").without_retries()
    limited.open("ssm", [region])
    clients.open("ssm", [region])
    once, ssm = limited.ssm(region), clients.ssm(region)

    def put(ref: ImageRef, text: str) -> None:
        # Systems Manager User Guide, "Managing parameter tiers": more than 4 KB need an advanced parameter.
        # The text has the time of the run, so that no other run puts the same.
        request = {
            "Name": name_parameter(path, ref),
            "Value": text,
            "Type": "String",
            "Tier": "Intelligent-Tiering",
            "Overwrite": True,
        }
        put_once(once, ssm, request)

    return put


def _put_each(
    clients: Clients,
    texts: dict[ImageRef, str],
    state: CleanupState,
    place: tuple[str, str | None],
    put: Callable[[ImageRef, str], Any] | None,
) -> tuple[Failure, ...]:
    """Put all texts; a failure has the region that is written to, not that of the image.

    ``place`` is the option and its value, which messages name: AWS's own do not name the bucket.
    """
    if put is None:
        return ()
    _done, failed = map_parallel(texts, lambda ref: put(ref, texts[ref]))
    option, value = place
    failures = (
        errors.failure(exception, state.target(clients.default_region), option)
        for exception in failed.values()
    )
    return tuple(
        add_bucket_owner_hint(replace(failure, message=f"{option}: {value}: {failure.message}"))
        for failure in failures
    )
