#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_cleanup
version_added: 0.1.0
short_description: Retire AMIs by policy, in every region
description:
  - Retires AMIs that the account owns, in all regions at the same time. Images are retired in stages - deprecated, disabled,
    deregistered. Each stage follows the one before it after a number of days.
  - An image is retired only if every rule that is set allows it and no use of it is found. Something that could not be read
    counts as use.
  - Images form families. The latest images of a family in a region are kept, so that no family becomes empty, unless
    O(allow_empty_family=true).
  - Snapshots are deleted with their image, unless another image, a launch configuration, or the latest or default version of
    a launch template uses them. The next run deletes snapshots that could not be deleted.
  - In check mode the module returns the plan, with the reasons and evidence for each image.
  - Can write a report as JSON, CSV, SARIF and HTML, whether it succeeded or failed, with the most storage and cost that is freed.
    Snapshots are incremental, so only the AWS bill shows the actual amount. Deprecating and disabling free no storage.
author:
  - golden.images contributors !UNKNOWN
options:
  regions:
    description:
      - The regions to work in. The default is all regions that are enabled for the account.
    type: list
    elements: str
    default: []
  family_tag:
    description:
      - The key of a tag whose value is the image's family.
      - A copy without a family of its own has the family of its source image. If the source is deregistered first, tags of the
        copy keep what gave the source its family (C(golden.images:origin-tag:KEY) its tag, C(golden.images:origin-name) its name,
        or C(golden.images:origin-image) the image that it came from), and its date (C(golden.images:origin-created)). Later runs
        apply their own options to these, so no policy selects the copy that would not have selected the source.
      - Images without a family are ignored, and so are images of AWS Backup and Amazon Data Lifecycle Manager.
    type: str
  family_name_pattern:
    description:
      - A regular expression that must match the whole name of an image. Its first group is the family. Without a group, all
        matching images are one family.
      - If O(family_tag) is set as well, the pattern applies only to images without that tag.
    type: str
  family_by_source:
    description:
      - Whether images without any other family form a family with all images that come from the same image, as copies of it
        or created from instances of it.
    type: bool
    default: false
  keep_latest:
    description:
      - How many images of each family are always kept in each region. Images that can be launched come before others.
      - The latest images are those created last. A copy that was made late of an old image does not displace a copy that was
        made early of a newer image. Both are kept.
      - V(0) counts as V(1), unless O(allow_empty_family=true).
    type: int
    default: 1
  allow_empty_family:
    description:
      - Whether O(keep_latest=0) can retire the last image of a family.
    type: bool
    default: false
  max_age_days:
    description:
      - Retire only images that were created at least this many days ago.
    type: int
  unused_for_days:
    description:
      - Retire only images that were last launched at least this many days ago. For an image that was never launched, the
        days count from its creation.
      - AWS reports launches 24 hours late, so one day is added.
    type: int
  states:
    description:
      - Retire only images in these states. With O(disable_after_days), disabled images are always included.
      - Failed images can only be deregistered. The other stages do not apply to them.
    type: list
    elements: str
    choices: [available, disabled, failed]
    default: [available, disabled]
  protect_tags:
    description:
      - Tags as C(key) or C(key=value). Images and snapshots with any of these tags are kept. An image with such a snapshot is
        not deregistered.
    type: list
    elements: str
    default: []
  deprecate_after_days:
    description:
      - Deprecate an image this many days after it was first chosen to be retired. Deprecated images can still be launched, but
        the accounts that they are shared with no longer find them in lists. The deprecation takes effect one hour later,
        because AWS rejects dates in the past and many calls take time.
      - At least one stage must be set. Stages that are not set are skipped. If several stages are due at the same time, only
        the last of them that nothing blocks is performed.
    type: int
  disable_after_days:
    description:
      - Disable an image this many days after the stage before. Disabled images cannot be launched, and AWS permanently removes
        their launch permissions.
    type: int
  deregister_after_days:
    description:
      - Deregister an image and delete its snapshots this many days after the stage before.
      - The dates of the stages are stored in tags C(golden.images:cleanup-*) of the image. They are removed when the image is
        used again or the rules keep it, and the days then count from the beginning. The same happens if a stage is undone, or
        if AWS reports a launch of the image after the date.
    type: int
  max_deletions:
    description:
      - How many images one run can disable or deregister, as a number or as a percentage of the images evaluated. Either ends
        launches of an image at once. Former images whose snapshots are deleted are included.
      - If the limit is exceeded, the module fails and changes nothing.
    type: str
    default: 10%
  include_shared:
    description:
      - Whether to retire images that are shared with other accounts as well, if it is shown that no other account uses them.
        Reading every account with O(consumer_role_name) shows this, or with O(trust_usage_reports=true) a usage report. A use
        that either shows always counts.
      - The accounts of an organization or organizational unit, and those that use a public image, are not known. For these,
        only a report counts.
      - No report shows how other accounts use a snapshot. If a snapshot is public, or shared with an account that the image
        itself is not shared with, the image is not deregistered, even if the image is public or shared with the account's
        organization. Unshare the snapshot first. Disabled images are an exception, see below.
      - Disabling removes the launch permissions of an image, but not the permissions of its snapshots. With
        O(consumer_role_name), the accounts that the snapshots of a disabled image are shared with are read, and a use of the
        image or of a snapshot there keeps it. What cannot be read there keeps it as well, unless O(trust_usage_reports=true)
        is set. With O(trust_usage_reports=true) alone, the snapshot permissions of disabled images are ignored, because AWS
        does not document whether reports show the use of disabled images. With neither, a disabled image with a shared
        snapshot is not deregistered.
    type: bool
    default: false
  trust_usage_reports:
    description:
      - Whether a usage report of AWS alone shows that no other account uses an image.
      - No report shows parameters of Parameter Store that name the image in other accounts, such as those that
        M(golden.images.ami_publish) writes there, nor copies that are being made.
      - A report counts if it is at most eight days old, was created after the last launch of the image, and covers instances, all
        versions of launch templates, and image and container recipes of Image Builder. If there is none, the module requests
        one, and the image waits for a later run. In a region that refuses such reports, a warning says so, and shared images
        are kept.
      - Usage reports can miss instances of the last day and launch templates of the last few days. Before an image is disabled
        or deregistered, the module therefore requests a new report, unless there is one of the last day, and waits for it up to
        15 minutes.
      - Requires O(include_shared=true).
    type: bool
    default: false
  unused_services:
    description:
      - Services that no image is used by. They are not read before images are disabled or deregistered.
      - Without this, a service that cannot be read in a region keeps all images there from being disabled or deregistered, for
        example because a service control policy forbids it. B(Uses by a service in this list are not found.)
    type: list
    elements: str
    choices: [batch, codebuild, emr, pcs, rds, sagemaker]
    default: []
  include_image_builder:
    description:
      - Whether to treat images that EC2 Image Builder built like all others, without reading its lifecycle policies.
      - By default, images to which an enabled lifecycle policy applies are neither retired nor counted among the latest of
        their family, because the policy retires them. All other images of Image Builder are treated like all others.
      - If the policies cannot be read, the images are kept, and not counted among the latest. Only the account in which Image
        Builder built an image can read them.
    type: bool
    default: false
  orphan_snapshots:
    description:
      - Whether to delete the snapshots of images that were deregistered before, by any tool.
      - These snapshots are recognized by the description that AWS gives to the snapshots of an image. Snapshots with tags of
        AWS Backup or Data Lifecycle Manager are kept, and so are those of images in the Recycle Bin.
      - A copy of a snapshot that was made with its description looks like a snapshot of the same image, unless CreateImage made
        that snapshot. It is kept if the image exists in any region of the run. If images are in other regions or accounts,
        copies of their snapshots with such descriptions need one of O(protect_tags).
      - Snapshots that are public or shared with another account, and those whose permissions cannot be read, are kept with a
        warning, with or without O(include_shared), because nothing shows how the account uses them. Unshare them first.
    type: bool
    default: false
  revoke_grants:
    description:
      - Whether to revoke grants on KMS keys that are no longer needed once images are deregistered. Only grants that this
        collection created (M(golden.images.ami_kms_grant)) are revoked, and only on keys of snapshots that are deleted in this
        run. The grants of an account are kept as long as an image under the key that stays in the region, or a snapshot of
        such an image, is shared with that account.
        A snapshot without an image counts, too, as long as it is shared.
      - An account whose launches named this key has volumes under it, and needs its grant whenever an instance with them
        starts, or a snapshot of them is used. With O(consumer_role_name), the volumes and snapshots of the accounts that would
        lose their grants are read, also in the Recycle Bin (C(ec2:DescribeVolumes), C(ec2:DescribeSnapshots),
        C(ec2:ListSnapshotsInRecycleBin) and C(ec2:ListVolumesInRecycleBin) in each of them), and an account keeps its grants
        as long as it has any under the key, or any in the Recycle Bin, where AWS does not show the key. Without that role,
        accounts keep their grants, too. RV(kms_keys) names the accounts that could not be read.
      - All grants on a key are kept, and a warning gives the reason, if the accounts that need the key are not known - an
        image under it is public or shared with an organization or organizational unit, a copy is pending in the region, or an
        image under it was created in the last 24 hours and is shared with no account yet. A later run revokes them only if it
        deletes another snapshot under the key, and finds no such image then. So they stay if private images are built under
        the key every day. Use O(golden.images.ami_kms_grant#module:state=absent) to revoke them.
      - If the grants cannot be read, or that role cannot read an account, the image is not deregistered, because a later run would not find the
        key.
      - Statements in key policies are never changed. Use O(golden.images.ami_kms_grant#module:state=absent) to remove them.
      - All grants of an account on a key are kept, and RV(kms_keys) gives the reason, if one of them was created in the last 24
        hours or has no date, because an image may be about to be shared with the account.
      - Do not use this option while images are distributed under the same keys. Their grants are created before the images
        are shared. An image that is about to be shared with an account cannot be recognized if both it and the account's
        grants are older than 24 hours.
    type: bool
    default: false
  fail_on:
    description:
      - Whether the task fails if something that could not be read alone keeps what could be retired without it. This never
        changes what is retired, and what can be is retired before the task fails. It applies in check mode, too.
      - With V(none), there are only warnings. RV(unreadable) lists the same in both cases.
    type: str
    choices: [none, unreadable]
    default: unreadable
  tombstone_path:
    description:
      - A file on the host that runs the module. Before an image is disabled or deregistered, a line of JSON is appended that
        records what is lost - its attributes, tags and launch permissions, and its snapshots with their permissions.
      - With O(disable_after_days) or O(deregister_after_days), at least one of this option, O(tombstone_s3_uri) and
        O(tombstone_ssm_path) is required. Choose a place that is kept after the run.
      - If a tombstone cannot be written, no image is disabled or deregistered.
    type: path
  tombstone_s3_uri:
    description:
      - A folder in S3 for the same records, as C(s3://bucket/folder). Each record is an object below
        C(folder/region/image_id/).
    type: str
  tombstone_s3_bucket_owner:
    description:
      - The account that the bucket of O(tombstone_s3_uri) must belong to, by default that of the credentials.
    type: str
  tombstone_ssm_path:
    description:
      - A path in Parameter Store for the same records. Each image has a parameter C(path/region/image_id) in the region of
        O(region).
      - A parameter holds at most 8 KB. An image with more tags and devices is not disabled or deregistered, and RV(results) has
        the reason. All other images are.
      - By default, Parameter Store accepts about three parameters per second, so 1,000 tombstones take more than five minutes.
    type: str
  prices:
    description:
      - The monthly price of a GiB of snapshots, by region, for the report. C(default) is the price of all other regions. No prices
        are built in, because AWS changes them.
      - Without prices, the report has sizes in GiB only.
    type: dict
    default: {}
  currency:
    description:
      - The currency of the prices, as the report shows it.
    type: str
    default: USD
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.report
  - golden.images.rate
  - golden.images.processes
  - golden.images.option_forms
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description:
      - Returns the plan and changes nothing in AWS. The report of a plan is written, to the directory C(plan) in O(report_dir), so
        that it does not overwrite a report on performed actions.
  diff_mode:
    support: full
    description:
      - Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
      - Shows the previous and the new report, too, from verbosity 1 (C(-v)) on.
notes:
  - An image is used by instances in any state but terminated, launch templates (in every version), Auto Scaling groups,
    SSM parameters of any region that are not encrypted, copies of it that are pending, and others. C(docs/cleanup.md) of this
    collection lists all that counts.
  - Resources that AWS services such as EKS manage can be hidden from lists. They are read with botocore 1.42.94 or newer. With
    an older one, every image counts as used.
  - Images that AWS Backup or Amazon Data Lifecycle Manager manages are neither evaluated nor counted among the latest of a
    family, because these services retain and delete them. Their snapshots are never deleted.
  - Images with a product code of AWS Marketplace are only deprecated, because they can be for sale. So can those that were
    created from instances of such images.
  - Images that are protected from deregistration, and images with a locked or archived snapshot, or one with a tag of
    O(protect_tags), are never deregistered. A snapshot that was permanently restored in the last 14 days counts as archived.
  - Finished copies of an image, and images created from instances of it, do not count as use, because they no longer need it.
    DescribeImages returns what is needed about the origin of images, so GetImageAncestry is not called.
  - Snapshots that are deleted with an image are first tagged C(golden.images:cleanup-image-ids), so that the next run finds those that
    could not be deleted. With O(include_shared=true), such a snapshot is deleted although it is shared, because it is tagged
    only after it was shown that no other account uses the image. The next run also deletes a snapshot that was restored
    from the Recycle Bin without its image, unless this tag is removed, the snapshot has one of O(protect_tags), or it is
    shared and O(include_shared=false).
  - The evidence is read again right before the first image is disabled or deregistered, and the permissions of each image
    and its snapshots at most a minute before AWS gets the call that disables or deregisters it.
  - O(region) is only the region in which the enabled regions are listed, and that of the parameters of O(tombstone_ssm_path).
    If all O(regions) are in another partition, the enabled regions are listed in the first of them, and O(tombstone_s3_uri)
    and O(tombstone_ssm_path) are refused.
  - KMS keys that a snapshot is associated with, beside its own key, are read with botocore 1.44.4 or newer.
"""

EXAMPLES = r"""
- name: Deprecate all but the three latest images of each family that were not used for 90 days
  golden.images.ami_cleanup:
    family_name_pattern: (golden-\w+)-.*
    keep_latest: 3
    unused_for_days: 90
    deprecate_after_days: 0

- name: Retire images in stages over four months
  golden.images.ami_cleanup:
    regions: [eu-west-1, us-east-1]
    family_tag: family
    family_by_source: true
    max_age_days: 180
    protect_tags: [legal-hold, "environment=production"]
    deprecate_after_days: 0
    disable_after_days: 90
    deregister_after_days: 30
    max_deletions: 50%
    tombstone_path: "{{ playbook_dir }}/retired-images.jsonl"
  register: cleanup

- name: Show the evidence that images are used
  ansible.builtin.debug:
    msg: "{{ cleanup.results | rejectattr('evidence', 'equalto', []) }}"

- name: Write a report
  golden.images.ami_cleanup:
    family_name_pattern: (golden-\w+)-.*
    unused_for_days: 90
    deprecate_after_days: 0
    prices:
      us-east-1: 0.05
      default: 0.06
    report_dir: cleanup
    return_report: true
"""

RETURN = r"""
kms_keys:
  description:
    - The KMS keys of the snapshots that are deleted, with O(revoke_grants=true), as they were when they were read last.
    - The grants that are revoked are among the RV(actions).
  returned: success, and failure after something was changed, without O(return_report)
  type: list
  elements: dict
  contains:
    kept_access:
      description:
        - The accounts, roles and users that keep grants that no image is known to need.
      type: list
      elements: dict
      returned: always
      contains:
        principal:
          description: The account or ARN.
          type: str
          returned: always
        image_ids:
          description: Images that may need the grants, as far as they are known.
          type: list
          elements: str
          returned: always
        reason:
          description: Why it keeps them, as a sentence.
          type: str
          returned: always
        resource_ids:
          description: Its volumes and snapshots, if it keeps the grants because of these.
          type: list
          elements: str
          returned: always
    kms_key_arn:
      description: The key.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    unseen_accounts:
      description:
        - The accounts with such grants of which not everything was read. They keep their grants.
      type: list
      elements: dict
      returned: always
      contains:
        account_id:
          description: The account.
          type: str
          returned: always
        reason:
          description: Why they were not read.
          type: str
          returned: always
evaluated_count:
  description: How many images the policy applies to. These are the images with a family in one of the states.
  returned: success, and failure after something was changed
  type: int
  sample: 40
regions:
  description: The regions in which images were evaluated.
  returned: success, and failure after something was changed, without O(return_report)
  type: list
  elements: str
  sample: [eu-west-1, us-east-1]
results:
  description: The decision on each evaluated image, with reasons.
  returned: success, and failure after something was changed, without O(return_report)
  type: list
  elements: dict
  sample:
    - creation_date: "2026-11-28T18:02:57.420000+00:00"
      decision: keep
      evidence: []
      family: golden-web
      image_id: ami-0123456789abcdef0
      later_stages: []
      name: golden-web-2026.11.1
      next_stage: null
      next_stage_at: null
      reasons: [It is among the latest 3 of its family in this region.]
      recoverable_until: null
      region: us-east-1
      size_gib: 28
      snapshots: []
  contains:
    creation_date:
      description: When the image was created. Null if AWS reports no date; such an image is kept.
      type: str
      returned: always
    decision:
      description:
        - V(deprecate), V(disable) and V(deregister) are performed now. With V(wait), the next stage is not due yet, or is
          blocked. With V(keep), the image is kept.
      type: str
      returned: always
    evidence:
      description:
        - What uses the image, or what could not be read. The keys are C(kind), C(subject) and C(detail).
        - The subject of what has a name and an ID is both, such as C(web (lt-0123456789abcdef0)).
      type: list
      elements: dict
      returned: always
    family:
      description: The image's family.
      type: str
      returned: always
    image_id:
      description: The image.
      type: str
      returned: always
    later_stages:
      description:
        - The stages after the next one, in their order. Their dates assume that each stage is performed when it is due.
        - Of stages that are due at the same time, only the last is performed and listed.
      type: list
      elements: dict
      returned: always
      contains:
        due:
          description: When the stage is due.
          type: str
          returned: always
        stage:
          description: The stage.
          type: str
          returned: always
    name:
      description: The image's name.
      type: str
      returned: always
    next_stage:
      description: The next stage. Null if there is none.
      type: str
      returned: always
    next_stage_at:
      description: When the next stage is due.
      type: str
      returned: always
    reasons:
      description: The rules that keep the image, or what blocks its next stage.
      type: list
      elements: str
      returned: always
    recoverable_until:
      description:
        - Until when an image that is deregistered now can be restored from the Recycle Bin with its snapshots. Null if it
          cannot be restored, or if the retention rules could not be read.
      type: str
      returned: always
    region:
      description: The image's region.
      type: str
      returned: always
    size_gib:
      description:
        - The total size, in GiB, of the volumes of its snapshots. AWS bills the blocks that changed since the previous
          snapshot, so the snapshots take up this much at most.
      type: int
      returned: always
    snapshots:
      description:
        - The snapshots of an image that is deregistered now. Each has C(snapshot_id), C(size_gib), C(keep_reason), which is the reason
          why the snapshot is kept and empty if it is deleted, and C(retention_days), for which the Recycle Bin retains it.
      type: list
      elements: dict
      returned: always
unreadable:
  description:
    - What could not be read and alone keeps images or snapshots that could be retired without it, with the same keys as
      RV(failures). The C(action) is the AWS operation. If this is not empty, the cleanup is incomplete.
  returned: success, and failure after something was changed, without O(return_report)
  type: list
  elements: dict
  sample: []
report:
  description: The content of C(report.json). Null without O(return_report).
  returned: success, and failure after the report was made
  type: dict
  sample:
    check_mode: false
    currency: USD
    failures: []
    grants: []
    images:
      - creation_date: "2026-05-08T20:39:22.385000+00:00"
        decision: deprecate
        evidence: []
        family: golden-db
        freed_gib: 0
        freed_later_gib: 0
        freed_monthly_cost: 0.0
        image_id: ami-0123456789abcdef0
        later_stages: []
        monthly_cost: 0.4
        name: golden-db-204
        next_stage: null
        next_stage_at: null
        outcome: done
        rank: 5
        reasons: []
        recoverable_until: null
        region: us-east-1
        size_gib: 8
        snapshots: []
    kms_keys: []
    orphan_snapshots: []
    prices: {default: 0.06, us-east-1: 0.05}
    regions:
      us-east-1:
        by_decision:
          deprecate: {done: 3, images: 3, monthly_cost: 1.2, not_done: 0, size_gib: 24}
          deregister: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
          disable: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
          keep: {done: 0, images: 3, monthly_cost: 2.2, not_done: 0, size_gib: 44}
          wait: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
        freed_gib: 0
        freed_later_gib: 0
        freed_monthly_cost: 0.0
        images: 6
        monthly_cost: 3.4
        size_gib: 68
        unpriced_images: 0
    status: done
    summary: 2 of 7 images were deprecated. 1 image was tagged with the dates of stages.
    tags: {tagged: 0, untagged: 0}
    totals:
      by_decision:
        deprecate: {done: 3, images: 3, monthly_cost: 1.2, not_done: 0, size_gib: 24}
        deregister: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
        disable: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
        keep: {done: 0, images: 4, monthly_cost: 2.68, not_done: 0, size_gib: 52}
        wait: {done: 0, images: 0, monthly_cost: 0.0, not_done: 0, size_gib: 0}
      freed_gib: 0
      freed_later_gib: 0
      freed_monthly_cost: 0.0
      images: 7
      monthly_cost: 3.88
      size_gib: 76
      unpriced_images: 0
    unreadable: []
    usage_reports: 0
    warnings: []
  contains:
    check_mode:
      description: Whether the cleanup ran in check mode.
      type: bool
      returned: always
    currency:
      description: The currency of the costs. Null without prices.
      type: str
      returned: always
    failures:
      description: What failed, and what to do about it.
      type: list
      elements: dict
      returned: always
    grants:
      description: The grants on KMS keys that were revoked.
      type: list
      elements: dict
      returned: always
    images:
      description:
        - The images as in RV(results). Each also has its C(outcome), which is V(done),
          V(planned), V(not_done) or, for images that wait or are kept, V(no_action), its C(monthly_cost), and C(freed_gib),
          C(freed_later_gib) and C(freed_monthly_cost). C(rank) is its place in its family and region, the newest is the first.
        - Sizes and costs are upper bounds.
      type: list
      elements: dict
      returned: always
    kms_keys:
      description: The KMS keys as in RV(kms_keys).
      type: list
      elements: dict
      returned: always
    prices:
      description: The prices.
      type: dict
      returned: always
    regions:
      description: The same values as C(totals), by region.
      type: dict
      returned: always
    orphan_snapshots:
      description: The snapshots without an image that were deleted. The totals do not include them.
      type: list
      elements: dict
      returned: always
    status:
      description:
        - V(done), V(planned) in check mode, or V(incomplete) if a step failed.
        - V(refused) if nothing was done, for example because of too many deletions, or V(failed) if it is not known what was
          done. With these two, there are no images.
      type: str
      returned: always
    summary:
      description: The result in a few sentences.
      type: str
      returned: always
    tags:
      description:
        - How many images only got tags, the dates of stages (C(tagged)), and from how many images and snapshots tags were
          only removed (C(untagged)).
      type: dict
      returned: always
    totals:
      description:
        - The number of C(images), their C(size_gib) and C(monthly_cost), and the same C(by_decision). The most that is freed
          (C(freed_gib), C(freed_monthly_cost)), the part of it that the Recycle Bin retains for now (C(freed_later_gib)), and
          the number of images without a price (C(unpriced_images)).
      type: dict
      returned: always
    unreadable:
      description: What could not be read, as in RV(unreadable).
      type: list
      elements: dict
      returned: always
    usage_reports:
      description: For how many images AWS was asked for a usage report.
      type: int
      returned: always
    warnings:
      description: The warnings of M(golden.images.ami_cleanup), for example about images that the final check skipped.
      type: list
      elements: str
      returned: always
report_path:
  description: The JSON file. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
report_dir:
  description: The directory of the reports. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
  sample: cleanup
changes:
  description: The changes since the previous report in O(report_dir). Null if there is none.
  returned: success, and failure after the report was made
  type: dict
  sample:
    added: ["us-east-1: ami-0123456789abcdef0 (golden-db-204) was deprecated."]
    removed: []
    since: "2026-11-24T12:00:00+00:00"
  contains:
    added:
      description: What is new, in sentences.
      type: list
      elements: str
      returned: always
    note:
      description: Why the reports are not compared, in a sentence, such as other accounts.
      type: str
      returned: if they are not compared
    removed:
      description: What no longer applies, in sentences.
      type: list
      elements: str
      returned: always
    since:
      description: The time of the previous report.
      type: str
      returned: always
report_s3_uri:
  description: The folder in S3, with a slash at its end. Null if the report was not to be uploaded, or not written.
  returned: success, and failure after the report was made
  type: str
report_url:
  description: The page of the folder in AWS's console, for users who may list the bucket. Null without a folder.
  returned: success, and failure after the report was made
  type: str
report_failures:
  description: The failures among RV(failures) to write or upload the report.
  returned: success, and failure after the report was made
  type: list
  elements: dict
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region. A
      call that is repeated with the same resource, such as a grant for each account, is listed once,
      with its number as C(count).
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "EnableImageDeprecation", "region": "us-east-1", "resource": "ami-0123456789abcdef0"}]
diff:
  description: The changes, in diff mode. Ansible displays only RV(diff.prepared).
  returned: in diff mode, except if the options or the state are refused
  type: dict
  contains:
    prepared:
      description:
        - A line for each change, at most 200. Changes that regions or accounts have in common are one line.
      type: str
      returned: always
      sample: "20 regions: + launch permission for 12 accounts"
    state_after:
      description: The state after the changes, by region, by account and region, or for what these have in
        common.
      type: dict
      returned: always
    state_before:
      description: The state before the changes, in the same form.
      type: dict
      returned: always
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
omitted:
  description:
    - The names of the values that are null because the result is large, such as C(results) or
      C(diff.state_after). Of RV(failures), at most 100 stay, the first of each code, operation and region
      before others.
  returned: if the result has more than 250,000 characters, so that AWX can store it
  type: list
  elements: str
  sample: [results]
result_path:
  description:
    - A JSON file with the whole result, in the temporary directory of the controller, which only the user
      that runs Ansible can read. In an execution environment, it is deleted with it.
    - The filter P(golden.images.whole_result#filter) returns the registered result with what the file has.
      The modules of this collection read the file of a registered result that they are given.
  returned: if values are omitted
  type: str
"""

from ansible_collections.golden.images.plugins.module_utils._cleanup.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
