# Two commands matter: `make demo` and `make test`. Each does all of its own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.9
OPA_VERSION := 1.20.2
ARGS ?=
TRIALS ?= 25
export UV_PYTHON := $(CURDIR)/$(VENV)/bin/python
unexport VIRTUAL_ENV

.PHONY: help demo test coverage soak soak-crash soak-races lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Twokey needs Python 3.11 or newer, and $(PYTHON) is older. Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 3; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "python -m venv failed. On Debian and Ubuntu install the package python3-venv, then try again."; exit 3; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(UV)
	@$(UV) pip install --quiet --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(UV)
	@$(UV) pip install --quiet --require-hashes -r requirements-dev.lock
	@$(UV) pip install --quiet --no-deps --editable .
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime ## the whole main job in a sample workspace (headless: make demo ARGS=--once)
	@$(BIN)/twokey demo $(ARGS)

test: $(VENV)/.dev ## every gate and every test
	@mkdir -p .cache
	@OPA_VERSION=$(OPA_VERSION) bash .ci/find-opa $(VENV)
	@bash .ci/gates $(VENV)

coverage: $(VENV)/.dev ## the same, measuring everything and holding the whole to its floor
	@mkdir -p .cache
	@OPA_VERSION=$(OPA_VERSION) bash .ci/find-opa $(VENV)
	@MEASURE=all bash .ci/gates $(VENV)

soak: soak-crash soak-races ## every long sweep (hours); each can be interrupted and goes on
	@$(BIN)/python -m pytest -m soak -q --ignore=tests/races

soak-crash: $(VENV)/.dev ## kill -9 at every point of a gated run, both databases (TRIALS=25 each); can be interrupted
	@PYTHONPATH=tests $(BIN)/python -m support.crash --trials $(TRIALS)

soak-races: $(VENV)/.dev ## 10,000 random interleavings of the gate, and long races (an hour; figures in .cache/soak-races.txt)
	@mkdir -p .cache && rm -f .cache/soak-races.txt
	@$(BIN)/python -m pytest tests/races -m soak -n "$${TEST_WORKERS:-2}" -q $(ARGS)
	@cat .cache/soak-races.txt

lock: | $(UV) ## renew the pinned, hashed dependency lists
	$(UV) pip compile -q pyproject.toml --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 -o requirements.lock
	$(UV) pip compile -q pyproject.toml --group dev --extra postgresql -c requirements.lock --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 -o requirements-dev.lock

clean: ## remove the environment and caches
	rm -rf $(VENV) .cache dist
