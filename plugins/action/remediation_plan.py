# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name, on the controller without a process if the task allows it."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.plugin_utils.audit_result import TakesAuditResult
from ansible_collections.golden.images.plugins.plugin_utils.runs_here import RunsHere


class ActionModule(TakesAuditResult, RunsHere):
    """Runs the module with the audit that the task names."""
