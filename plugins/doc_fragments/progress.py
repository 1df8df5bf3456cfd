# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The progress of modules that wait for AWS."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  progress_path:
    description:
      - The file to which lines of progress are appended while the module waits for AWS.
      - With a local connection it is set automatically, and the lines are displayed on the controller.
    type: path
"""
