# Everything a developer or an operator does here starts with `make`. A machine needs git, make and Python 3.13;
# the rest installs itself into .tools and .venv on first use, and again only when its version or the lock changes.

UV_VERSION := 0.13.9

# Processor of the functions in the cloud: arm64 or x86_64. `make run` and `make test` use this machine's own.
ARCHITECTURE ?= arm64
# Deployment: name of the stack, and overrides of the template's parameters, e.g. PARAMETERS="AlarmEmail=me@example.com"
STACK ?= amazon-to-xero
PARAMETERS ?=
# Simulation: how many worlds, or the seed of one to see again
SEEDS ?= 500
SEED ?=
# Options handed to pytest, e.g. PYTEST="-k refunds"
PYTEST ?=

# pyenv puts a `python3.13` on the path that works only where a version is chosen, so what counts is that it runs.
IS_3_13 := -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))'
PYTHON := $(shell for python in python3.13 python3; do \
	if $$python $(IS_3_13) 2>/dev/null; then $$python -c 'import sys; print(sys.executable)'; break; fi; done)

UV := .tools/bin/uv
IN_VENV := PYTHONPATH=infra:functions .venv/bin/python
SAM := $(IN_VENV) -m local.tools sam

UV_STAMP := .tools/uv-$(UV_VERSION).stamp
VENV_STAMP := .venv/synced.stamp
TOOLS_STAMP := .tools/local-cloud.stamp

# uv takes the interpreter found above, never one that it would download or that an activated environment offers.
export UV_PYTHON := $(PYTHON)
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help tools install format lint test sim run bench build deploy connect preflight clean

help: ## Show what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(UV_STAMP):
	@test -n "$(PYTHON)" || { echo "Python 3.13 is missing: install it so that python3.13 or python3 starts it." >&2; exit 1; }
	@echo "Installing uv $(UV_VERSION) into .tools"
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@rm -f .tools/uv-*.stamp
	@touch $@

$(VENV_STAMP): $(UV_STAMP) pyproject.toml uv.lock
	@echo "Installing the locked dependencies into .venv"
	@$(UV) sync --quiet --frozen
	@touch $@

$(TOOLS_STAMP): $(VENV_STAMP) infra/local/tools.py
	@echo "Fetching SAM CLI and the local cloud"
	@$(IN_VENV) -m local.tools install
	@touch $@

install: $(VENV_STAMP) ## Install the locked dependencies into .venv

tools: $(TOOLS_STAMP) ## Install everything, SAM CLI and the local cloud included

format: install ## Format the code and mend what can be mended
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format .

lint: install ## Check style, types, imports and the template
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	PYTHONPATH=functions .venv/bin/lint-imports
	.venv/bin/cfn-lint template.yaml infra/observability.yaml
	@$(IN_VENV) infra/deployable/transform.py .build/template.json
	.venv/bin/cfn-lint .build/template.json

test: tools lint ## Check everything: lint, then all tests, those on the local cloud included
	.venv/bin/pytest -n 2 --dist loadfile $(PYTEST)

sim: install ## Simulate worlds full of faults: make sim SEEDS=20000, or one again: make sim SEED=17
	@PYTHONPATH=functions:infra:tests .venv/bin/python -m simulation.run $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

run: tools ## Deploy to the local cloud and sync a seller: make run [SELLER=<folder>] [KEEP=1]
	@$(IN_VENV) -m local.run $(if $(SELLER),--seller "$(SELLER)") $(if $(KEEP),--keep)

bench: tools ## Count the calls of bursts and of a backlog, and what a cold start spends on imports (minutes)
	@$(IN_VENV) infra/bench/burst.py
	@$(IN_VENV) infra/bench/burst.py --drafted --orders 500
	@$(IN_VENV) infra/bench/backlog.py
	@$(IN_VENV) infra/bench/cold_import.py

build: tools ## Build what is deployed, into .aws-sam/build: make build [ARCHITECTURE=x86_64]
	@ARCHITECTURE=$(ARCHITECTURE) $(SAM) build

deploy: build ## Deploy to AWS: make deploy [STACK=name] [PARAMETERS="Name=value ..."]
	@$(SAM) deploy --stack-name $(STACK) --parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS)

connect: install ## Tie Amazon to Xero: make connect SETTINGS=file SECRETS=file [STACK=name] [CONNECTION=main]
	@$(IN_VENV) -m operations.connect --stack $(STACK) --connection $(or $(CONNECTION),main) --settings "$(SETTINGS)" --secrets "$(SECRETS)"

preflight: install ## Compare settings with Xero, propose tax rules: make preflight SETTINGS=file SECRETS=file [STACK=name]
	@$(IN_VENV) -m operations.preflight --connection $(or $(CONNECTION),main) --settings "$(SETTINGS)" --secrets "$(SECRETS)" $(if $(filter command environment,$(origin STACK)),--stack $(STACK))

clean: ## Delete what builds, runs and checks left behind, but not the installed tools
	@rm -rf .build .aws-sam .run .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find functions infra tests -name __pycache__ -prune -exec rm -rf {} +

# SAM's builder (BuildMethod: makefile in template.yaml) calls this once per function and says where to put the result.
build-%:
	@.venv/bin/python infra/deployable/bundle.py --out "$(ARTIFACTS_DIR)" --architecture "$(ARCHITECTURE)"
