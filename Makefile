# `make up` and `make test` are all the set-up there is; `make help` says the rest.
SHELL := /bin/sh
STACK ?= local
VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/installed-$(shell cat requirements-dev.txt requirements.txt | cksum | cut -d ' ' -f 1)
TOOLS := $(PYTHON) -m tools

.DEFAULT_GOAL := help
.PHONY: help up preview down status env verify check test lint schema lock

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

up: $(INSTALLED) ## Bring a stack to what its settings say, and prove it (STACK=local)
	@$(TOOLS) up --stack $(STACK)

preview: $(INSTALLED) ## Show what `up` would change
	@$(TOOLS) preview --stack $(STACK)

down: $(INSTALLED) ## Destroy a stack, and stop the local servers
	@$(TOOLS) down --stack $(STACK)

status: $(INSTALLED) ## Say what of the local stack runs where
	@$(TOOLS) status

env: $(INSTALLED) ## Print the local stack's environment: eval "$$(make env)"
	@$(TOOLS) env

verify: $(INSTALLED) ## Read a credential of every role, try it, end its lease
	@$(TOOLS) verify --stack $(STACK)

check: $(INSTALLED) ## Check all settings and policies; FILES="a.json b.json" for those documents alone
	@$(TOOLS) check $(FILES)

lint: $(INSTALLED) ## Format, lint and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

test: lint check ## Everything that proves the project
	$(PYTHON) -m pytest -n 2 --dist loadgroup

schema: $(INSTALLED) ## Write the JSON Schema of the stack files anew
	$(PYTHON) -m settings.schema

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
	@$(VENV)/bin/uv pip install --quiet --python $(PYTHON) --require-hashes requirements-dev.txt
	@touch $@
