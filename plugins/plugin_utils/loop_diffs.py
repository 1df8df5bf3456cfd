# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Display the diffs of the items of a loop."""

from __future__ import annotations

from ansible.utils.display import Display
from ansible_collections.golden.images.plugins.plugin_utils.output import is_json

display = Display()


def display_diff(task, result):
    """Display the diff of a result that is an item of a loop and has ``results`` of its own.

    The callback ``default`` displays the diff of an item, but takes a key of this name for the results of
    the whole loop, which have none (``CallbackModule.v2_on_file_diff``).
    """
    if not task.loop or task.no_log or "results" not in result or is_json():
        return
    text = (result.get("diff") or {}).get("prepared")
    if text and result.get("changed") and not result.get("failed"):
        display.display(text)
