# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of tasks that copy and share images, in the place of these images."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  copy_result:
    description:
      - The registered result of M(golden.images.ami_copy_regions), without C(account_ids), in the place of O(images). Mutually
        exclusive with O(images) and O(image_id).
    type: dict
  share_result:
    description:
      - The registered result of M(golden.images.ami_share) for the images in O(copy_result). The regions in which it failed are
        left out. The one of a task that was skipped counts as none.
    type: dict
  consumer_copy_result:
    description:
      - The registered result of M(golden.images.ami_copy_regions), with C(account_ids), for the copies of those in
        O(copy_result) that accounts own. The one of a task that was skipped counts as none.
    type: dict
"""
