# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module of this name, and display its progress."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.modules.ami_instance_refresh import FLOW
from ansible_collections.golden.images.plugins.plugin_utils._with_progress import RunsWithProgress


class ActionModule(RunsWithProgress):
    """An action that runs the module on the controller without a process if possible."""

    _flow = FLOW
