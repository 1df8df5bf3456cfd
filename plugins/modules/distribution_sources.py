#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_sources
version_added: 0.1.0
short_description: Select the source images of a distribution
description:
  - Checks that exactly one option selects each source image, and reads its ID from the manifest of Packer.
  - The second task of the role P(golden.images.distribute#role). It runs on the controller, starts no process, and needs no
    AWS credentials.
author:
  - golden.images contributors !UNKNOWN
options:
  source_image_id:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: str
  source_parameter:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: str
  source_filters:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: dict
  packer_manifest:
    description:
      - The path of the file that Packer's post-processor C(manifest) writes, see
        U(https://developer.hashicorp.com/packer/docs/post-processors/manifest). It is a file of the controller; a relative
        path is one of the current directory.
      - The source is the image of the last run of Packer.
    type: path
  packer_run_uuid:
    description:
      - The C(packer_run_uuid) of another run in O(packer_manifest).
    type: str
  packer_build:
    description:
      - The name of the build in O(packer_manifest), alone or with its builder, such as V(amazon-ebs.web). Required if the run
        has several builds.
    type: str
  source_region:
    description:
      - The region of the source image. Required without O(packer_manifest), and if the build has images in several regions.
    type: str
  sources:
    description:
      - Several sources, a mapping of name to options of a source in place of the options above. O(source_region) and the
        options below are also options of a source, which come first. C(tags) and C(shared_tags) are combined.
      - Fails if two of them are one image, or would be published in the same place.
    type: dict
    default: {}
  name:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: str
  tags:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: dict
  shared_tags:
    description:
      - As in M(golden.images.ami_share).
    type: dict
  publish_parameter:
    description:
      - As O(golden.images.ami_publish#module:parameter) in M(golden.images.ami_publish).
    type: str
  launch_templates:
    description:
      - As in M(golden.images.ami_publish).
    type: list
    elements: str
  verify_instance_type:
    description:
      - As O(golden.images.ami_launch_probe#module:instance_type) in M(golden.images.ami_launch_probe).
    type: str
  report_path:
    description:
      - The file of the report. Not with O(sources).
    type: path
  report_dir:
    description:
      - The directory of the report. Each of O(sources) gets one of its name below it.
    type: path
  report_s3_uri:
    description:
      - The folder of the report in S3. Each of O(sources) gets one of its name below it.
    type: str
  output_files:
    description:
      - The files that M(golden.images.distribution_files) will write. Fails if one of them cannot be written.
    type: list
    elements: path
    default: []
extends_documentation_fragment:
  - golden.images.variable_names
attributes:
  check_mode:
    support: full
    description: The module never changes anything.
  diff_mode:
    support: none
    description: The module never changes anything.
"""

EXAMPLES = r"""
- name: Read the image of the last run of Packer
  golden.images.distribution_sources:
    packer_manifest: packer-manifest.json
  register: selected

- name: Show the image
  ansible.builtin.debug:
    msg: "{{ selected.sources[0].source_image_id }} in {{ selected.sources[0].source_region }}"
"""

RETURN = r"""
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
sources:
  description:
    - The sources, each with the values of its options, with O(source_image_id) and O(source_region) of the image in
      O(packer_manifest), and with its name as C(source), which is empty without O(sources).
    - C(variable_names) are what messages of later tasks name instead of options.
  returned: success
  type: list
  elements: dict
  sample:
    - launch_templates: null
      name: null
      packer_build: null
      packer_manifest: packer-manifest.json
      packer_run_uuid: null
      publish_parameter: null
      report_dir: null
      report_s3_uri: null
      shared_tags: null
      source: ""
      source_filters: null
      source_image_id: ami-0123456789abcdef0
      source_parameter: null
      source_region: us-east-1
      tags: null
      variable_names: {}
      verify_instance_type: null
"""
