# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of one or several accounts: documents ``option_groups.ImagesByTargetOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  images:
    description:
      - Mapping of region to AMI ID, as M(golden.images.ami_copy_regions) returns it, for images of the account whose
        credentials are used.
      - Or a list of mappings with C(account_id), C(region) and C(image_id), for images that several accounts own. An account
        in O(account_ids) that owns an image in a region uses that image there. The same image may be listed twice.
      - In check mode, an AMI ID can be null (V(none)) for a copy that is planned and does not exist yet.
      - Exactly one of O(images) and O(image_id) is required.
    type: raw
  image_id:
    description:
      - The ID of one AMI, in O(region).
    type: str
"""
