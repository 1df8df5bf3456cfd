# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of one account: documents ``option_groups.ImageOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  images:
    description:
      - Mapping of region to AMI ID, as M(golden.images.ami_copy_regions) returns it.
      - In check mode, an AMI ID can be null (V(none)) for a copy that is planned and does not exist yet.
      - Exactly one of O(images) and O(image_id) is required.
    type: dict
  image_id:
    description:
      - The ID of one AMI, in O(region).
    type: str
"""
