# SPDX-License-Identifier: GPL-3.0-or-later
# Everything is set up inside the checkout, in .venv/<major.minor>, from the locks in requirements/.
# Another Python: make test PYTHON=/usr/bin/python3.13

PYTHON ?= python3
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV := .venv/$(PYTHON_VERSION)
RUN := $(VENV)/bin/python

FIXTURE ?= simulated_aws/src/simulated_aws/fixtures/encrypted_ami.yml
PORT ?= 4510
NAME ?= record
RECORD ?= tests/integration
ACCOUNT ?= images

# The user's own Ansible, AWS and Python settings must neither break nor steer what runs here.
$(foreach name,$(filter ANSIBLE_% AWS_% MOTO_%,$(.VARIABLES)),$(eval unexport $(name)))
# Compiled Python is kept: without it, each of the many short processes compiles its imports again.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH PYTEST_ADDOPTS PYTEST_PLUGINS MYPYPATH VIRTUAL_ENV
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(VENV)/lib/python$(PYTHON_VERSION)/site-packages
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export AWS_EC2_METADATA_DISABLED := true
# Ansible works in UTF-8 only.
ifneq (,$(filter C POSIX,$(LC_ALL)))
export LC_ALL := C.UTF-8
endif
# uv then trusts what the system trusts, such as the CA of a proxy; checks/environment.py says more.
export UV_SYSTEM_CERTS ?= true
# The simulated AWS listens on this machine, which a proxy can't reach.
export NO_PROXY := 127.0.0.1,localhost,$(NO_PROXY)
export no_proxy := 127.0.0.1,localhost,$(no_proxy)

.DEFAULT_GOAL := help
.PHONY: help environment demo test ci nightly lint sanity package unit coverage mutants integration chaos record record-compare bench pictures simulated-aws
.PHONY: format policies release archive docs links lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | expand -t 16

environment:  ## set up .venv; quick where nothing changed
	@$(PYTHON) checks/environment.py

demo: environment  ## a distribution that fails and is completed, a diagnosis, an audit, on a simulated AWS; a minute
	@$(RUN) -m demo

test: environment  ## the checks for each change, in ten minutes; some of them: make test CHECKS="ruff unit"
	@$(RUN) -m checks $(CHECKS)

ci: environment  ## those and more, in 25 minutes: what a change must pass
	@$(RUN) -m checks --target ci $(CHECKS)

nightly: environment  ## everything, in hours; goes on where it was stopped. One part: make nightly PART=chaos
	@$(RUN) -m checks --target nightly $(PART)

lint: environment  ## style, types, playbooks, documentation, changelog
	@$(RUN) -m checks ruff format imports words returns variables surveys policies codes uses readmes versions forges licenses mypy ansible-lint docs changelog

sanity: environment  ## ansible-test sanity, without ignore files
	@$(RUN) -m checks sanity sanity-2.20

package: environment  ## the built collection installs, shows its docs, and its playbooks parse
	@$(RUN) -m checks package

unit: environment  ## pytest: tests/unit
	@$(RUN) -m checks unit simulated-aws

mutants: environment  ## do each capability's unit tests fail when a function of it does nothing?
	@$(RUN) -m checks mutants

integration: environment  ## pytest: tests/integration, real playbooks against the simulated AWS
	@$(RUN) -m checks --target nightly integration

coverage: environment  ## which lines and branches of plugins/ the unit tests run; pages in coverage/
	@$(RUN) -m pytest --quiet --numprocesses 2 --cov --cov-report term --cov-report html:coverage tests/unit

chaos: environment  ## playbooks killed, cut off, throttled, denied at each call; 150 minutes. Some: CHAOS="distribute kill"
	@$(RUN) -m tests.chaos $(CHAOS)

record: environment  ## what the collection does in the integration tests, in .cache/record/NAME: make record NAME=before
	rm -rf .cache/record/$(NAME)
	@$(RUN) -m pytest -p tests.record.plugin --record .cache/record/$(NAME) --numprocesses 3 --dist worksteal $(RECORD)

record-compare: environment  ## what differs between two records: make record-compare OLD=before NEW=after RENAMES=renames.yml
	@$(RUN) -m tests.record $(OLD) $(NEW) $(if $(RENAMES),--renames $(RENAMES))

bench: environment  ## time and memory against what one would run without it: docs/benchmarks.md; 50 minutes. Some: BENCH="audit start"
	@$(RUN) -m tests.benchmark $(BENCH)

pictures: environment  ## pictures of pages and terminals, on a realistic fixture; README=1: those of README.md
	@$(RUN) -m tests.pictures $(if $(README),--readme) $(if $(AXE),--axe $(AXE))

simulated-aws: environment  ## run the simulated AWS with FIXTURE on PORT; prints the credentials of ACCOUNT
	@$(RUN) -m simulated_aws --fixture $(FIXTURE) --port $(PORT) --account $(ACCOUNT)

format: environment  ## style and layout by ruff, and the files that others are written from
# ruff's fixes, the layout, and then what is left to fix by hand. A writer that fails stops no other one.
	@failed=; for module in "ruff check --quiet --fix-only ." "ruff format ." "ruff check ." \
		checks.returns checks.readmes checks.surveys checks.codes checks.uses checks.versions; do \
		$(RUN) -m $$module || failed="$$failed, $$module"; \
	done; [ -z "$$failed" ] || { echo "Not done:$${failed#,}" >&2; exit 1; }

policies: environment  ## write the IAM policies in docs/iam, and the templates in bootstrap
	@$(RUN) -m checks.iam --write

release: environment  ## changelog, checks, archive, commit, tag: make release VERSION=1.0.0; nothing is pushed
	@$(RUN) -m checks.release "$(VERSION)" $(if $(REPOSITORY),--repository "$(REPOSITORY)") $(if $(HANDLE),--handle "$(HANDLE)") \
		$(if $(CHECKS),--checks $(CHECKS))

archive: environment  ## build and check dist/golden-images-VERSION.tar.gz of this checkout's version
	@$(RUN) -m checks.release "$(VERSION)" --archive-only

docs: environment  ## the site of the documentation, in .cache/site
	@$(RUN) -m checks.site .cache/site

links: environment  ## request the external links of the documentation, over a network
	@$(RUN) -m checks.site --links

lock: environment  ## newest versions that requirements/ allows
	@sh checks/lock.sh $(VENV)/bin/uv

clean:  ## remove all that `make` made
	rm -rf .venv .cache coverage dist .hypothesis .mypy_cache .pytest_cache .ruff_cache changelogs/.plugin-cache.yaml
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
