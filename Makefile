# `make demo` and `make test` need only make and Python 3.11 or newer: the rest goes into .venv on the first call.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-faults test-oldest lint audit release-check bench calibrate docs figures browser clean FORCE

help: ## list these targets
	@echo "Usage: make TARGET [PYTHON=python3.12]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(STAMP) ## run the demonstration; what it writes goes to the folder demo/
	@echo "Running the demonstration; its results go to the folder demo/."
	@$(BIN)/stochreset demo --out demo

test: lint browser ## check style and types, then run every test (with CI=true test-oldest as well)
	@echo "Running the tests ..."
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist worksteal
ifeq ($(CI),true)
	@$(MAKE) --no-print-directory test-oldest
endif

test-faults: $(STAMP) ## kill, fill and damage everything at full size (10 minutes)
	@echo "Running the tests of faults at full size ..."
	@STOCHRESET_FAULTS=full OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 \
	  $(BIN)/python -m pytest -q -n auto --dist worksteal tests/faults tests/theory/test_properties.py

OLDEST ?= python3.11
test-oldest: ## run the tests with the oldest dependencies allowed, in .venv-oldest
	@echo "Running the tests with the oldest dependencies ..."
	@PYTHON="$(OLDEST)" .ci/test-oldest

lint: $(STAMP) ## check style and types only
	@echo "Checking style (ruff) ..."
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@echo "Checking types (mypy) ..."
	@$(BIN)/python -m mypy

audit: $(STAMP) ## ask PyPI for known vulnerabilities of what is installed
	@echo "Looking up known vulnerabilities (pip-audit) ..."
	@$(BIN)/python -m pip freeze --exclude-editable > $(VENV)/audited.txt
	@$(BIN)/python -m pip_audit --strict --disable-pip --no-deps --progress-spinner off -r $(VENV)/audited.txt

release-check: $(STAMP) ## build, check the archives, use the wheel in fresh environments
	@$(BIN)/python .ci/release_check.py

# The tests of the HTML report drive Debian's chromium; where it cannot be had, they are skipped and say so.
apt = DEBIAN_FRONTEND=noninteractive timeout 300 apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=20
browser: $(STAMP)
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Debian's chromium for the tests of the HTML report (100 MB to load, half a minute) ..."; \
	  { $(apt) install -y chromium || { $(apt) update && $(apt) install -y chromium; }; } \
	  >$(VENV)/chromium.log 2>&1 </dev/null || \
	  echo "That failed, see $(VENV)/chromium.log; the tests in a browser will be skipped."; fi

bench: $(STAMP) ## run the benchmark scripts of tests/benchmarks
	@shopt -s nullglob; set -e; scripts=(tests/benchmarks/*.py); \
	if [ $${#scripts[@]} -eq 0 ]; then echo "There are no benchmark scripts in tests/benchmarks."; fi; \
	for script in "$${scripts[@]}"; do echo "Running $$script ..."; $(BIN)/python "$$script"; done

calibrate: $(STAMP) ## coverage, size, power and bias from Monte Carlo, into docs/calibration.md (20 minutes)
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python tests/calibration

docs: $(STAMP) ## build the pages; they begin at site/index.html
	@echo "Building the pages ..."
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "Open site/index.html."

figures: $(STAMP) ## draw the figures of README and pages again (2 minutes)
	@$(BIN)/python docs/tools/figures.py

clean: ## remove caches, builds and the demo's results; .venv stays
	@echo "Removing caches, builds and demo/ (to start from nothing, remove .venv as well)."
	@rm -rf build dist demo site *.egg-info .pytest_cache .mypy_cache .ruff_cache
	@find . -path './$(VENV)' -prune -o -type d -name __pycache__ -exec rm -rf {} +

# The stamp holds the folder it was made in, because a virtual environment cannot be moved.
works = $(BIN)/python -c 'import numpy, stochreset' 2>/dev/null
ifneq ($(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$$(pwd -P)" ] && $(works) && echo yes),yes)
$(STAMP): FORCE
endif

$(STAMP): pyproject.toml
	@$(PYTHON) -c '' 2>/dev/null || { echo "No Python found as '$(PYTHON)'. Install Python 3.11 or newer," \
	  "or name yours: make $(MAKECMDGOALS) PYTHON=/path/to/python"; exit 1; } >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "'$(PYTHON)' is too old" \
	  "($$($(PYTHON) --version 2>&1)); 3.11 or newer is needed. If you have one, name it:" \
	  "make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "'$(PYTHON)' cannot create virtual" \
	  "environments. On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; } >&2
	@rm -f $(STAMP)
	@if [ -e $(VENV) ] && ! { grep -qsF "=\"$$(pwd -P)/$(VENV)\"" $(BIN)/activate || \
	  grep -qsF "=$$(pwd -P)/$(VENV)" $(BIN)/activate; } || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  if [ -e $(VENV) ]; then echo "The environment in $(VENV) was moved or is broken: building it again."; \
	  else echo "Creating a virtual environment in $(VENV) ..."; fi; \
	  rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); fi
	@echo "Installing the packages into $(VENV): 3 to 4 minutes the first time, most of it for PyTorch ..."
	@set -o pipefail; $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	  -e ".[training,dev,docs]" | awk '/^ *Downloading .*\.whl( |$$)/ { sub(/^ */, "  "); print } \
	  /^Installing collected/ { print "  Unpacking everything (a minute or two) ..." } { fflush() }'
	@pwd -P > $(STAMP)
	@echo "Installed."
