#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: playbook_tags
version_added: 0.1.0
short_description: Refuse tags with which a playbook would do nothing
description:
  - The first task of each playbook of this collection. No task of the roles has tags, so that a run with C(--tags), or with
    C(job_tags) in AWX, would succeed without having done anything. This fails instead.
  - A playbook that imports one of this collection can have tags of its own. This then fails only if the tags of the run
    select no task of the whole playbook, apart from checks of roles' arguments. With a task that has the tag C(always),
    or a playbook that is not a file, all tags are accepted.
  - It runs on the controller, starts no process, and calls no AWS.
author:
  - golden.images contributors !UNKNOWN
attributes:
  check_mode:
    description: Checks in check mode too.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Check the tags
  golden.images.playbook_tags:
  run_once: true
  tags: always
"""

RETURN = r"""
imported:
  description: Whether another playbook, which can have tags, imports the one that the task stands in.
  returned: success
  type: bool
  sample: false
"""
