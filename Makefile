# Two commands for a newcomer: `make demo` and `make test`. Everything else is for those who work on it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
JOBS ?= 2

.PHONY: setup demo test check lint types contracts bench lock clean

setup: $(STAMP) ## build .venv from the lock file (idempotent)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Trunkline needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3.11.")'
	@echo "setup: creating $(VENV) and installing the locked dependencies"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)
	@echo "setup: done; the command is $(BIN)/trunkline"

demo: setup ## the hub with sandboxes of every connector and live traffic, console at http://127.0.0.1:8700
	@$(BIN)/trunkline demo

test: setup ## the whole test suite, a real PostgreSQL from a wheel included
	@echo "test: running the whole suite on $(JOBS) processes"
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

check: setup lint types contracts ## everything but the tests

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

contracts: setup
	@$(BIN)/lint-imports

bench: setup ## every benchmark; see docs/performance.md
	@$(BIN)/python -m bench

lock: setup ## resolve the dependencies again
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --universal --no-header --no-emit-index-url --no-annotate --quiet -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra bench --generate-hashes --universal --no-header --no-emit-index-url --no-annotate --quiet -c requirements.lock -o bench/requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
