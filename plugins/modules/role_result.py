#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role_result
version_added: 0.1.0
short_description: Display the result of a role and pass it to the next job of a workflow
description:
  - The last task of the roles of this collection. It displays a table of at most 80 columns, with what failed first, and the
    path of the report. It is colored on a terminal.
  - It also returns the text, which each role registers with the other values as C(<role>_summary), for chat messages for
    example. Nothing is displayed if the stdout callback writes JSON.
  - As M(ansible.builtin.set_stats) does, it sets one custom statistic, C(<role>_artifacts), a mapping that AWX passes to the
    later jobs of a workflow as an extra variable. Each role documents its keys.
  - If the mapping is larger than 64 KiB as JSON, its largest values are left out, and its key C(omitted) lists their names.
  - Runs on the controller and starts no process.
author:
  - golden.images contributors !UNKNOWN
options:
  role:
    description:
      - The role whose result it is.
    type: str
    choices:
      - audit
      - cleanup
      - diagnose
      - distribute
      - monitor
      - publish
      - remediate
      - restore
      - rollback
      - share
      - unshare
      - verify
    required: true
  result:
    description:
      - The C(report) that the report module of the role returned. If the role has no report, the result of its module, or a
        mapping that its tasks made.
    type: dict
    required: true
  context:
    description:
      - What else the text of this role is made of. Internal to the roles.
    type: dict
    default: {}
  report_path:
    description:
      - The file or directory of the report, if one was written.
    type: str
  upload_result:
    description:
      - The result of M(golden.images.report_upload). It is displayed, and the statistic gets C(report_s3_uri) and
        C(report_url), which are null if no report was uploaded.
    type: dict
attributes:
  check_mode:
    support: full
    description: Displays what would happen.
  diff_mode:
    support: none
    description: Changes nothing.
"""

EXAMPLES = r"""
- name: Copy
  golden.images.ami_copy_regions:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    regions: [us-east-1, eu-west-1]
  register: copied

- name: Share
  golden.images.ami_share:
    images: "{{ copied.images }}"
    account_ids: ["012345678901"]
  register: shared

- name: Create the report
  golden.images.distribution_report:
    copy_result: "{{ copied }}"
    share_result: "{{ shared }}"
  register: distribution

- name: Show the result
  golden.images.role_result:
    role: distribute
    result: "{{ distribution.report }}"
    context:
      copy_result: "{{ copied }}"
      account_ids: ["012345678901"]
"""

RETURN = r"""
text:
  description: The text that was displayed, in lines of at most 80 columns.
  returned: success
  type: str
  sample: |-
    Distributed ami-0123456789abcdef0 to 2 regions.
    region     image                  copy    shared
    us-east-1  ami-0123456789abcdef0  source  1/1
    eu-west-1  ami-0fedcba9876543210  copied  1/1
    Shared with 1 account.
failure:
  description: A short message about what failed. Empty if nothing did.
  returned: success
  type: str
  sample: ""
"""
