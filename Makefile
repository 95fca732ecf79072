# `make up` and `make test` are all the set-up there is; `make help` says the rest.
SHELL := /bin/sh
STACK ?= local
VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/installed-$(shell cat requirements-dev.txt requirements.txt | cksum | cut -d ' ' -f 1)
TOOLS := $(PYTHON) -m tools
# What people and workflows give goes through the environment, which no shell reads as a command.
export STACK FILES
# An option of a command, if its variable was given to make itself: shells have a USER of their own.
option = $(if $(filter command,$(origin $(1))),--$(2) "$$$(1)")

.DEFAULT_GOAL := help
.PHONY: help audit drift review up preview down rotate status env pulumi-policy verify check new-env environments \
	test unit soak fuzz bench bench-size bench-creds lint schema audit-deps sbom lock

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

up: $(INSTALLED) ## Bring a stack to what its settings say, and prove it (STACK=local)
	@$(TOOLS) up --stack "$$STACK"

preview: $(INSTALLED) ## Show what `up` would change
	@$(TOOLS) preview --stack "$$STACK"

down: $(INSTALLED) ## Revoke a stack's leases, destroy it, stop the local servers (FORCE=1: whatever AWS says)
	@$(TOOLS) down --stack "$$STACK" $(if $(FORCE),--force)

rotate: $(INSTALLED) ## Replace the keys that Vault holds
	@$(TOOLS) rotate --stack "$$STACK"

status: $(INSTALLED) ## Say what of the local stack runs where
	@$(TOOLS) status

env: $(INSTALLED) ## Print the local stack's environment: eval "$$(make env)"
	@$(TOOLS) env

pulumi-policy: $(INSTALLED) ## Print the Vault policy that a token needs to run the stack
	@$(TOOLS) pulumi-policy --stack "$$STACK"

verify: $(INSTALLED) ## Read a credential of every role, try it, end its lease
	@$(TOOLS) verify --stack "$$STACK"

audit: $(INSTALLED) ## Who had a credential: ROLE=…, LEASE=…, KEY=… or USER=… (FILE=… DEVICE=… LAST=… JSON=1)
	@$(TOOLS) audit --stack "$$STACK" $(call option,ROLE,role) $(call option,LEASE,lease) $(call option,KEY,key) \
		$(call option,USER,user) $(call option,FILE,file) $(call option,DEVICE,device) $(call option,LAST,last) \
		$(if $(JSON),--json)

drift: $(INSTALLED) ## What differs between a stack and what is there, changing neither (MARKDOWN=… JSON=1)
	@$(TOOLS) drift --stack "$$STACK" $(call option,MARKDOWN,markdown) $(if $(JSON),--json)

review: $(INSTALLED) ## What a change does to who has which access: BASE=main STACK=prod (MARKDOWN=… HTML=…)
	@$(TOOLS) review --stack "$$STACK" $(call option,BASE,base) $(call option,MARKDOWN,markdown) $(call option,HTML,html)

check: $(INSTALLED) ## Check all settings and policies; FILES="a.json b.json" for those documents alone
	@set -f; $(TOOLS) check -- $$FILES

new-env: $(INSTALLED) ## Make another environment's file: NAME=… ACCOUNT=… REGION=… VAULT=https://…
	@$(TOOLS) new-env $(call option,NAME,name) $(call option,ACCOUNT,account) $(call option,REGION,region) \
		$(call option,VAULT,vault)

environments: $(INSTALLED) ## Write the table that compares the environments in README.md anew
	@$(TOOLS) environments

lint: $(INSTALLED) ## Format, lint and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

test: lint check ## Everything that proves the project
	$(PYTHON) -m pytest -n 2 --dist loadgroup

unit: $(INSTALLED) ## The tests that start neither Vault nor Pulumi
	$(PYTHON) -m pytest -n 2 --dist loadgroup tests/settings tests/documents tests/fuzz tests/components \
		tests/bootstrap tests/tools tests/policy_pack/test_rules.py

soak: $(INSTALLED) ## The tests that take long: faults at every step, many cases
	$(PYTHON) -m pytest -n 2 --dist loadgroup -m soak

fuzz: $(INSTALLED) ## Settings and policies that nobody would write: CASES=100000 of them, others in every run
	FUZZ_CASES="$${CASES:-100000}" $(PYTHON) -m pytest -n 2 --dist load tests/fuzz

bench: $(INSTALLED) ## Measure this stack beside Terraform and a script (N=5 ROLES=100,500 OUT=docs)
	$(PYTHON) -m tools.bench compare $(call option,N,runs) $(call option,ROLES,sizes) $(call option,OUT,out)

bench-size: $(INSTALLED) ## Measure stacks as they grow (N=1 ROLES=10,… MOUNTS=5 SPLIT=20 OUT=docs)
	$(PYTHON) -m tools.bench size $(call option,N,runs) $(call option,ROLES,sizes) $(call option,MOUNTS,mounts) \
		$(call option,SPLIT,split) $(call option,OUT,out)

bench-creds: $(INSTALLED) ## Measure the reading of credentials (N=3 CLIENTS=1,8,32 REQUESTS=100 OUT=docs)
	$(PYTHON) -m tools.bench creds $(call option,N,runs) $(call option,CLIENTS,clients) \
		$(call option,REQUESTS,requests) $(call option,OUT,out)

schema: $(INSTALLED) ## Write what is made from the settings anew: JSON Schema, docs/settings.md
	$(PYTHON) -m settings.schema
	$(PYTHON) -m settings.reference

audit-deps: $(INSTALLED) ## Known vulnerabilities of all that is pinned (OSV=… GO_DB=…: other databases than the public)
	@$(PYTHON) -m tools.supply_chain audit $(call option,OSV,osv) $(call option,GO_DB,go-db)

sbom: $(INSTALLED) ## List all that is pinned and built, as CycloneDX JSON (OUT=.sbom)
	@$(PYTHON) -m tools.supply_chain sbom $(call option,OUT,out)

lock: $(INSTALLED) ## Pin the dependencies of pyproject.toml anew
	$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header pyproject.toml -o requirements.txt
	$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header --extra dev pyproject.toml -o requirements-dev.txt

# uv installs from the lock file in seconds, where pip takes minutes to compile the providers' SDKs.
$(INSTALLED): requirements-dev.txt
	@echo "installing Python packages into $(VENV)"
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; python3 here is " + sys.version.split()[0])'
	@rm -f $(VENV)/installed-*
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@sed -n '/^uv==/,/^[^ ]/{/^uv==\|^ /p}' requirements-dev.txt > $(VENV)/uv.txt
	@$(PYTHON) -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.txt
	@$(VENV)/bin/uv pip install --quiet --python $(PYTHON) --require-hashes -r requirements-dev.txt
	@touch $@
