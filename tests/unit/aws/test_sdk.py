# SPDX-License-Identifier: GPL-3.0-or-later

"""What AnsibleAWSModule says without boto3 is what a user reads: until then, nothing may need it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PACKAGES = ("audit", "cleanup", "copy", "diagnose", "kms_grant", "launch_probe", "publish", "share")
FLOWS = "ansible_collections.golden.images.plugins.module_utils"


@pytest.mark.parametrize("missing", ["boto3", "botocore"])
def test_every_flow_is_imported_without_it(missing: str) -> None:
    script = (
        "import importlib, sys\n"
        f"sys.modules[{missing!r}] = None\n"
        f"for package in {PACKAGES}:\n"
        f"    importlib.import_module(f'{FLOWS}._{{package}}.flow')\n"
        f"from {FLOWS}._aws.errors import AWS_ERRORS\n"
        "assert AWS_ERRORS == ()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
