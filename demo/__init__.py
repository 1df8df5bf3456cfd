# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: distributes a golden AMI on a simulated AWS and tests what each account can do with it."""
