# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: a golden AMI is distributed on a simulated AWS, and those it is for show what they can do."""
