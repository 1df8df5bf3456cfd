# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``monitoring_check``: check the variables of the role ``monitor`` before its first step."""

from __future__ import annotations

from .._runner import Flow, check_flow
from .options import MonitoringOptions

FLOW: Flow[MonitoringOptions, None] = check_flow(MonitoringOptions)
