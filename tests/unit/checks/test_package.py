# SPDX-License-Identifier: GPL-3.0-or-later

"""The top level of the archive is exactly what users need."""

from __future__ import annotations

import pytest

from checks.commands import CheckError
from checks.package import TOP_LEVEL, check_top_level


def test_the_expected_entries_are_accepted():
    check_top_level(TOP_LEVEL)
    check_top_level({*TOP_LEVEL, "./plugins/modules/ami_share.py", "docs/cleanup.md"})


def test_a_new_folder_is_reported():
    with pytest.raises(CheckError, match="top-level entries scratch, secrets; add them to build_ignore"):
        check_top_level({*TOP_LEVEL, "secrets/key.pem", "./scratch/notes.md"})


def test_a_folder_that_is_missing_is_reported():
    with pytest.raises(CheckError, match="lacks the top-level entries roles"):
        check_top_level(TOP_LEVEL - {"roles"})
