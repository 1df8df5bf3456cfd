# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role_variables
version_added: 0.1.0
short_description: Read the variables of a role of this collection
description:
  - A task of each role of this collection, before all others except the one that resets the facts of an earlier run. It
    reads the role's variables as they are, or as text of a survey, and refuses all wrong ones at once, before anything is
    done.
  - Null and blank text count as not set. Lists can be text, separated by commas or lines, or YAML or JSON text; mappings
    can be YAML or JSON text. Numbers, booleans and choices can be text. All scalars in YAML and JSON text stay text.
  - An integer of 12 digits is an account ID. An integer with fewer digits is refused, because YAML loses a leading zero.
    A float, a boolean or a time is refused in place of text, because YAML may have changed it. Double quotes keep both, in
    an answer of a survey too.
  - A relative path is one of the directory in which C(ansible-playbook) is started, whatever the directory of the playbook.
  - It runs on the controller, starts no process, and calls no AWS.
author:
  - golden.images contributors !UNKNOWN
options:
  values:
    description:
      - The values of the role's variables, by variable, for a role that includes this one. A variable that is not in it has
        its default, even if a variable of that name is set elsewhere.
      - By default the variables of the play count, with Ansible's precedence.
    type: dict
attributes:
  check_mode:
    description: Reads in check mode too.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
"""

EXAMPLES = r"""
# In the role verify: vars/main/variables.yml of the role then has verify__images and so on.
- name: Read the variables
  golden.images.role_variables:
  register: verify__variables
"""

RETURN = r"""
check_mode:
  description:
    - Whether the role runs in check mode, by C(--check) or by the keyword C(check_mode) of a play, a block or a role.
  returned: success
  type: bool
  sample: false
options:
  description:
    - The value of each variable, by its name without the name of the role. A variable that is not set has its default,
      or null.
    - If a secret is set, the result is not shown.
  returned: success
  type: dict
  sample:
    account_ids: ["012345678901"]
    account_names: {}
    consumer_role_name: null
    external_id: null
    images: {"eu-west-1": "ami-0123456789abcdef0"}
    instance_type: null
    launch_tags: {}
    level: authorized
    report_dir: null
    report_path: null
    report_s3_bucket_owner: null
    report_s3_uri: null
    security_group_ids: {}
    subnet_ids: {}
    wait_timeout: 300
failures:
  description: What failed, and what to do about it.
  returned: always
  type: list
  elements: dict
  contains:
    account_id:
      description: The account. Null if the failure is not about one account.
      type: str
      returned: always
    action:
      description: The AWS operation or the option that failed.
      type: str
      returned: always
    error_code:
      description:
        - AWS's error code, the name of botocore's exception, or this collection's own code in snake_case.
        - C(docs/codes.md) of this collection lists the own codes.
      type: str
      returned: always
    message:
      description: What went wrong.
      type: str
      returned: always
    region:
      description: The region. Null if the failure is not about one region.
      type: str
      returned: always
    remedy:
      description: What to do about it.
      type: str
      returned: always
    request_id:
      description: AWS's request ID. Null unless AWS returned the error.
      type: str
      returned: always
    source:
      description:
        - V(aws) if AWS returned an error, V(sdk) if botocore failed before a response, else V(collection).
      type: str
      returned: always
"""
