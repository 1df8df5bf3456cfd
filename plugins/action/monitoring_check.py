# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``monitoring_check``: checks the variables of the role ``monitor`` before its first step, without a process."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils._monitoring.flow import FLOW
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import RunsOnlyHere


class ActionModule(RunsOnlyHere):
    """Fails with all problems at once."""

    _flow = FLOW
