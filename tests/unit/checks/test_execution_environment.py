# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder must find in the installed collection."""

from __future__ import annotations

import pytest

from checks.commands import CheckError
from checks.execution_environment import judge

LINE = "{}>=1.41.0  # from collection {}\n"


def test_all_packages_are_accepted():
    judge(LINE.format("boto3", "golden.images") + LINE.format("botocore", "golden.images"))


def test_a_package_of_another_collection_does_not_count():
    with pytest.raises(CheckError, match="finds no requirement botocore of"):
        judge(LINE.format("boto3", "golden.images") + LINE.format("botocore", "amazon.aws"))
