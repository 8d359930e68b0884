# Tauscope. Two commands matter: `make demo` and `make test`; `make help` lists the rest.
SHELL := /bin/sh
PYTHON ?= python3
PORT ?= 8501
API_PORT ?= 8500
export TAUSCOPE_HOME ?= $(CURDIR)/.tauscope
VENV := .venv
BIN := $(VENV)/bin
# Where pip looks for torch: empty is pip's own default; for a small CPU build
# TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu, for CUDA the index of your driver.
TORCH_INDEX_URL ?=
# How many processes test at once, each with its own servers and its own browser.
JOBS ?= 2
# What `make results` runs (empty: every preset that docs/results.md has a place for), and the folder of what it has run.
PRESETS ?=
RESULTS ?= results

.PHONY: help install demo up test test-slow chaos lint bench results clean

help: ## List the targets and their options
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 18
	@echo '  options           PORT=8501 API_PORT=8500 TAUSCOPE_HOME=.tauscope TORCH_INDEX_URL= PYTHON=python3 JOBS=2 PRESETS= RESULTS=results'

install: $(VENV)/.installed ## Make .venv and install everything into it

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Tauscope needs Python 3.11 or newer; name one with PYTHON=python3.12'; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'Installing into $(VENV) (some minutes the first time)...'
	@if [ -n '$(TORCH_INDEX_URL)' ]; then $(BIN)/pip install -q --disable-pip-version-check -c constraints.txt torch --index-url '$(TORCH_INDEX_URL)'; fi
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install ## Start everything, run the preset digits-demo, keep serving (EXIT=1: stop when done)
	@$(BIN)/python -m launcher demo --port $(PORT) --api-port $(API_PORT) $(if $(filter-out 0,$(EXIT)),--exit)

up: install ## Start everything and serve until Ctrl-C
	@$(BIN)/python -m launcher up --port $(PORT) --api-port $(API_PORT)

test: install ## Run all tests but the slow ones and the long chaos
	@CHROMIUM="$$(sh tests/find_chromium.sh)" $(BIN)/python -m pytest -q -m 'not slow and not chaos' -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-slow: install ## Run the slow science, full presets, and shoot every state of every page: minutes each
	@CHROMIUM="$$(sh tests/find_chromium.sh)" $(BIN)/python -m pytest -q -m slow

chaos: install ## Break a running service in every way, many times, and compare the results (15 minutes)
	@$(BIN)/python -m pytest -q -m chaos tests/chaos

lint: install ## Check style, types, import rules, docker-compose.yml and the Dockerfile
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/hadolint --failure-threshold style Dockerfile

bench: install ## Run the benchmarks; each prints a ratio measured side by side
	@for file in benchmarks/bench_*.py; do PYTHONPATH=. $(BIN)/python $$file || exit 1; done

results: install ## Run the presets of docs/results.md, going on where it stopped, and write its tables and figures (PRESETS=digits-width: one)
	@$(BIN)/tauscope results $(PRESETS) --folder $(RESULTS)

clean: ## Remove .venv, the demo's data and build files
	@rm -rf $(VENV) .tauscope build
