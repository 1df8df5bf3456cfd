# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name, and shortens what Ansible displays of its failure."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.plugin_utils.short_failures import ShortFailures


class ActionModule(ShortFailures):
    """The action."""
