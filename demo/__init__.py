# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: a distribution that fails and is completed, a diagnosis, an audit and its remedy."""
