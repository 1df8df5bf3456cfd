#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_report
version_added: 0.1.0
short_description: Report what the distribution of an AMI came to
description:
  - Makes one report of what M(golden.images.ami_copy_regions), M(golden.images.ami_kms_grant) and M(golden.images.ami_share)
    returned, be it success or failure, and writes it to a JSON file.
  - The file is rewritten only when what the report says changes, the time of writing aside.
author:
  - golden.images contributors !UNKNOWN
options:
  report_path:
    description:
      - The file to write. Without it the report is only returned.
    type: path
  copy_result:
    description:
      - What M(golden.images.ami_copy_regions) returned.
    type: dict
    required: true
  grant_result:
    description:
      - What M(golden.images.ami_kms_grant) returned. Empty if no key was opened.
    type: dict
    default: {}
  share_result:
    description:
      - What M(golden.images.ami_share) returned. Empty if nothing was shared.
    type: dict
    default: {}
  consumer_copy_result:
    description:
      - What M(golden.images.ami_copy_regions) returned of copies that the consumers own. Empty if there are to be none.
    type: dict
    default: {}
  verification_results:
    description:
      - What the role P(golden.images.verify#role) set as C(verify_results). Empty if nothing was verified.
    type: list
    elements: dict
    default: []
  verification_error:
    description:
      - What that role failed with. Empty if it did not fail.
    type: str
    default: ""
  publish_result:
    description:
      - What M(golden.images.ami_publish) returned. Empty if nothing was published.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Returns the report and writes nothing.
  diff_mode:
    support: full
    description: Shows what the report said before and says now.
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

- name: Keep what came of it
  golden.images.distribution_report:
    report_path: distribution.json
    copy_result: "{{ copied }}"
    share_result: "{{ shared }}"
"""

RETURN = r"""
report:
  description: The report, as the file holds it.
  returned: success
  type: dict
  contains:
    consumer_images:
      description: The consumers' own copies, missing if there are to be none.
      type: list
      elements: dict
      returned: if there are to be any
    failures:
      description: What could not be done, and what to do about it.
      type: list
      elements: dict
      returned: always
    published:
      description: What names the images, missing if nothing was published.
      type: list
      elements: dict
      returned: if O(publish_result) says of any
    regions:
      description: Each region's image, and who may use it.
      type: list
      elements: dict
      returned: always
    source_image_id:
      description: The image that was distributed.
      type: str
      returned: always
    source_region:
      description: Its region.
      type: str
      returned: always
    status:
      description:
        - V(distributed) if every region has the image and it is shared, and verified and published as far as that was
          wanted; V(failed) if it is shared in no region, else V(incomplete).
      type: str
      returned: always
    verified:
      description: How far each account got with each image, missing if nothing was verified.
      type: list
      elements: dict
      returned: if O(verification_results) says of any
report_path:
  description: The JSON file. Null if none was requested.
  returned: success
  type: str
actions:
  description: The writing of the file, if it was needed.
  returned: success
  type: list
  elements: dict
  sample: [{"account_id": null, "action": "write", "region": null, "resource": "distribution.json"}]
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
        - C(docs/how-it-works.md) of this collection lists the own codes.
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
        - V(aws) if AWS returned an error, V(sdk) if botocore failed before an answer, else V(collection).
      type: str
      returned: always
"""

from ansible_collections.golden.images.plugins.module_utils.distribution.flow_report import FLOW
from ansible_collections.golden.images.plugins.module_utils.runner import run

ARGUMENT_SPEC = {
    "report_path": {"type": "path"},
    "copy_result": {"type": "dict", "required": True},
    "grant_result": {"type": "dict", "default": {}},
    "share_result": {"type": "dict", "default": {}},
    "consumer_copy_result": {"type": "dict", "default": {}},
    "verification_results": {"type": "list", "elements": "dict", "default": []},
    "verification_error": {"type": "str", "default": ""},
    "publish_result": {"type": "dict", "default": {}},
}


def main():
    run(FLOW, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
