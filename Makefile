# Every task of a developer or an operator is a target here. A machine needs git, make and Python 3.13; everything else is
# installed into .tools and .venv at the first use, and again only when its version or the lock file changes.

UV_VERSION := 0.13.9

# Processor of the functions in the cloud: arm64 or x86_64. `make run` and the tests use this machine's own.
ARCHITECTURE ?= arm64
# Deployment: name of the stack, and values of the template's parameters, e.g. PARAMETERS="AlarmEmail=me@example.com"
STACK ?= amazon-to-xero
PARAMETERS ?=
# Simulation: number of worlds and their first seed (drawn at random if empty), or the seed of one world to play again
SEEDS ?= 500
FIRST ?=
SEED ?=
# Options for pytest, e.g. PYTEST="-k refunds"
PYTEST ?=

# pyenv puts a `python3.13` on the path that fails where no version is selected, so the first one that runs is taken.
IS_3_13 := -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))'
PYTHON := $(shell for python in python3.13 python3; do \
	if $$python $(IS_3_13) 2>/dev/null; then $$python -c 'import sys; print(sys.executable)'; break; fi; done)

UV := .tools/bin/uv
IN_VENV := PYTHONPATH=infra:functions .venv/bin/python
SAM := $(IN_VENV) -m local.tools sam
# Except in unit tests, those of a file stay together, because they may share a deployed stack. Two processes more than
# cores, and files in the order of their names: integration tests, which mostly wait, are among the first, beside others
# that compute. xdist by itself begins with the files that have most tests, and the few that wait would remain at the end.
RUN_TESTS := .venv/bin/pytest -n 4 --dist loadfile --no-loadscope-reorder $(PYTEST)
RUN_UNIT_TESTS := .venv/bin/pytest -n 2 --dist load $(PYTEST)

UV_STAMP := .tools/uv-$(UV_VERSION).stamp
VENV_STAMP := .venv/synced.stamp
TOOLS_STAMP := .tools/local-cloud.stamp

# uv uses the interpreter found above, not one that it would download or that an active environment provides.
export UV_PYTHON := $(PYTHON)
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help tools install format lint checkov docs unit integration test pr sim run invoke event sam logs operate redrive status-page bench build check-deployment deploy connect disconnect preflight \
	clean

# A target's help is the comment on its line; the lines after it that begin with `#:` continue the help.
help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s  %s\n", $$1, $$2 } /^#: / { printf "%20s%s\n", "", substr($$0, 4) }' $(MAKEFILE_LIST)

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
	@echo "Installing SAM CLI and the local cloud"
	@$(IN_VENV) -m local.tools install
	@touch $@

install: $(VENV_STAMP) ## Install the locked dependencies into .venv

tools: $(TOOLS_STAMP) ## Install everything, including SAM CLI and the local cloud

format: install ## Format the code and apply the fixes that ruff can make
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format .

lint: install ## Check style, types, imports, templates and documentation
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	PYTHONPATH=functions .venv/bin/lint-imports
	.venv/bin/cfn-lint template.yaml infra/observability.yaml
	@$(IN_VENV) infra/deployable/transform.py .build/template.json
	.venv/bin/cfn-lint .build/template.json
	$(IN_VENV) -m documentation.generate --check
	$(IN_VENV) -m documentation.lint

checkov: install ## Check the templates by SAM CLI's own rules, and for weak security settings; CI runs it, too
	@$(SAM) validate --lint
	@$(IN_VENV) infra/deployable/transform.py .build/template.json
	@$(IN_VENV) -m local.tools checkov --config-file infra/deployable/checkov.yaml

docs: install ## Rewrite the generated parts of the documentation
	@$(IN_VENV) -m documentation.generate

unit: install ## Run the unit tests only: make unit [PYTEST="-k refunds"]
	$(RUN_UNIT_TESTS) tests/unit

integration: tools ## Run the integration tests, which deploy to the local cloud
	$(RUN_TESTS) tests/integration

test: tools lint ## Run lint and all tests, including those on the local cloud
	$(RUN_TESTS)

pr: test checkov ## Run everything that CI runs, before you open a pull request

sim: install ## Simulate worlds with many faults: make sim [SEEDS=20000] [FIRST=n], or one world again: make sim SEED=17
	@PYTHONPATH=functions:infra:tests .venv/bin/python -m simulation.run \
		$(if $(SEED),--seed $(SEED),--seeds $(SEEDS) $(if $(FIRST),--first $(FIRST)))

run: tools ## Deploy to the local cloud and sync a seller: make run [SELLER=folder] [SETTINGS=file] [KEEP=1]
	@$(IN_VENV) -m local.run $(if $(SELLER),--seller "$(SELLER)") $(if $(SETTINGS),--settings "$(SETTINGS)") $(if $(KEEP),--keep)
#: It prints the books and leaves .run/books.json, .run/orders.json, .run/calls.json and .run/inventory/.
#: SETTINGS: a JSON file with parts of the connection's settings: amazon, xero, accounts, tax, contacts, invoices, inventory, start.
#: Its fields replace those of infra/local/connection.json, e.g. {"invoices": {"per": "order"}}.
#: KEEP=1: keep the local cloud running until Ctrl-C, for make logs, make invoke and Xero's books in a browser.

invoke: tools ## Invoke a function on the local cloud: make invoke FUNCTION=orders EVENT=file [ORDER=id]
	@$(IN_VENV) -m local.invoke --function "$(FUNCTION)" --event "$(EVENT)" $(if $(ORDER),--order "$(ORDER)")
#: It uses the local cloud of make run KEEP=1; if none is running, it deploys one that has the default seller's orders.
#: It prints the answer and the function's log. EVENT: e.g. tests/events/orders_sqs_order_change.json.
#: ORDER: the Amazon order id to put into the event, e.g. ORDER=204-0000001-0000001.

event: install ## Print an event for sam remote invoke: make event EVENT=file [SELLER=id] [ORDER=id]
	@$(IN_VENV) -m local.event --event "$(EVENT)" $(if $(SELLER),--seller "$(SELLER)") $(if $(ORDER),--order "$(ORDER)")
#: SELLER: by default that of the local cloud of make run KEEP=1.

sam: tools ## Run a command of SAM CLI: make sam DO="logs --name OrdersFunction" [STACK=name]
	@$(IN_VENV) -m local.sam $(if $(filter command environment,$(origin STACK)),--stack "$(STACK)") "$(DO)"
#: Without STACK it uses the local cloud that make run KEEP=1 keeps running.

logs: install ## Print the functions' log, a decision per line: make logs [FUNCTION=orders] [STACK=name [MINUTES=60]]
	@$(IN_VENV) -m $(if $(filter command environment,$(origin STACK)),operations.logs --stack "$(STACK)" $(if $(MINUTES),--minutes "$(MINUTES)"),local.logs) $(if $(FUNCTION),--function "$(FUNCTION)")
#: Without STACK it prints the log of the local cloud that make run KEEP=1 keeps running.

operate: install ## Run a command for operators: make operate DO="status" [STACK=name]; DO="-h" lists all of them
	@$(if $(filter command environment,$(origin STACK)),AMAZON_TO_XERO_STACK="$(STACK)") $(IN_VENV) -m operations $(or $(DO),--help)
#: Without STACK it uses the local cloud that make run KEEP=1 keeps running. Add --json to DO for a program.

status-page: install ## Write a page of the books' state for the bookkeeper: make status-page [STACK=name] [OUT=file]
	@$(if $(filter command environment,$(origin STACK)),AMAZON_TO_XERO_STACK="$(STACK)") $(IN_VENV) -m operations status-page \
		$(if $(OUT),--out "$(OUT)") $(if $(CONNECTION),--connection "$(CONNECTION)")
#: It is one HTML file without anything from elsewhere, .run/status.html by default.

redrive: install ## Move all dead letters of a queue back: make redrive QUEUE=orders STACK=name [TO=queue] [RATE=5] [YES=1]
	@$(if $(filter command environment,$(origin STACK)),AMAZON_TO_XERO_STACK="$(STACK)") $(IN_VENV) -m operations redrive \
		"$(QUEUE)" $(if $(TO),--to "$(TO)") $(if $(RATE),--rate "$(RATE)") $(if $(YES),--yes)
#: It is SQS's own redrive. make operate DO="replay preview" shows first what would come of it, and selects.

bench: tools ## Count what bursts, refunds and a backlog cost, and time a cold start's imports (takes minutes)
	@missed=0; for bench in costs reconciliation backlog cold_import burst; do \
		$(IN_VENV) infra/bench/$$bench.py || missed=1; done; exit $$missed
#: It prints each figure beside the most that it may be, and fails where one is exceeded. The last part is a burst on
#: the local cloud. One part alone: PYTHONPATH=infra:functions .venv/bin/python infra/bench/costs.py

build: tools ## Build the deployable into .aws-sam/build: make build [ARCHITECTURE=x86_64]
	@ARCHITECTURE=$(ARCHITECTURE) $(SAM) build

check-deployment: install
	@$(IN_VENV) -m operations.deployment --stack "$(STACK)" $(PARAMETERS)
	@$(IN_VENV) -m operations.deployment_target --stack "$(STACK)" --answers .build/answers $(PARAMETERS)

# Each stack has a folder of its own in SAM's bucket. Without it, stacks of the same code share its upload, and `sam delete`
# of one deletes what CloudFormation needs to take back a failed update of another.
deploy: check-deployment build ## Deploy to AWS, the first time after questions: make deploy [STACK=name] [PARAMETERS="Name=value ..."]
	@$(SAM) deploy --stack-name $(STACK) --s3-prefix $(STACK) --parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS) $$(cat .build/answers) \
		|| { $(IN_VENV) -m operations.failed_resources --stack $(STACK); exit 1; }
	@$(IN_VENV) -m operations.recipients --stack $(STACK)

connect: install ## Connect Amazon to Xero: make connect SETTINGS=file [SECRETS=file] [STACK=name] [CONNECTION=main]
	@$(IN_VENV) -m operations.connect --stack $(STACK) --connection $(or $(CONNECTION),main) --settings "$(SETTINGS)" $(if $(SECRETS),--secrets "$(SECRETS)") $(if $(CATEGORIES),--categories "$(CATEGORIES)")
#: Without SECRETS: those that make operate DO="connect xero" and DO="connect amazon" have stored.
#: CATEGORIES: a CSV file with the columns SKU and category, whose categories tax.rules and accounts.rules may name.

disconnect: install ## Disconnect one connection, after a question: make disconnect CONNECTION=name [STACK=name] [YES=1]
	@$(IN_VENV) -m operations.disconnect --stack $(STACK) --connection "$(CONNECTION)" $(if $(YES),--yes)
#: It ends the seller's subscription at Amazon and deletes settings and secret. Rows and documents in Xero stay.

preflight: install ## Check settings against Xero, propose tax rules: make preflight SETTINGS=file [SECRETS=file] [STACK=name]
	@$(IN_VENV) -m operations.preflight --connection $(or $(CONNECTION),main) --settings "$(SETTINGS)" $(if $(SECRETS),--secrets "$(SECRETS)") $(if $(CATEGORIES),--categories "$(CATEGORIES)") $(if $(filter command environment,$(origin STACK)),--stack $(STACK))

clean: ## Delete the output of builds, runs and checks, but not the installed tools
	@rm -rf .build .aws-sam .run .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@rm -rf .import_linter_cache functions/.import_linter_cache
	@find functions infra tests -name __pycache__ -prune -exec rm -rf {} +

# SAM's builder (BuildMethod: makefile in template.yaml) runs this once per function, with the destination in ARTIFACTS_DIR.
build-%:
	@.venv/bin/python infra/deployable/bundle.py --out "$(ARTIFACTS_DIR)" --architecture "$(ARCHITECTURE)"
