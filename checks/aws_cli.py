# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of the AWS CLI, apart from the checkout's: see requirements/aws-cli.in."""

from __future__ import annotations

from checks.apart import Apart
from checks.paths import CHECKOUT

ENVIRONMENT = Apart(CHECKOUT / ".venv" / "aws-cli")
