# SPDX-License-Identifier: GPL-3.0-or-later

"""The importer's output is read, since its exit status says nothing."""

from __future__ import annotations

import pytest

from checks.commands import CheckError
from checks.importer import judge

DONE = "Importing with galaxy-importer 0.4.44\n{}Importer processing completed successfully\n"


def test_an_import_without_complaint_is_accepted():
    judge(DONE.format("Loading module ami_share\n"))


@pytest.mark.parametrize(
    "line",
    ["ERROR: The import failed for the following reason: No role readme found.", "WARNING: no changelog"],
)
def test_a_complaint_is_an_error(line):
    with pytest.raises(CheckError, match=line):
        judge(DONE.format(f"{line}\n"))


def test_files_that_let_ansible_test_ignore_findings_are_the_matter_of_another_check():
    found = "found ignore-2.19.txt with 2 statement(s)"
    judge(DONE.format(f"WARNING: Ignore files skip ansible-test sanity tests, {found}\n"))


def test_an_import_that_breaks_off_is_an_error():
    with pytest.raises(CheckError, match="did not complete: Loading module ami_share"):
        judge("Loading module ami_share\n")
