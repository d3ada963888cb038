# opsconsole. `make run` shows a live fleet, `make test` proves it; both set up what they need first.
# Needs Python 3.11 or later and make; uses uv when it is there. PYTHON=… chooses the interpreter.

VENV   ?= .venv
PYTHON ?=
JOBS   ?= 4
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTEST := $(BIN)/pytest -n $(JOBS) --dist loadgroup

# What the caller's shell has on its path must not leak into the environment. And whatever it says of bytecode, it is
# kept: the suite starts some hundred interpreters, and each would compile the same sources again.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

.PHONY: help venv run test check compiled format matrix screenshots bench crash soak fuzz hostile acceptance wheels lock clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

venv: $(STAMP) ## .venv with everything that is locked, and .venv/bin/opsconsole

$(STAMP): requirements.lock pyproject.toml scripts/venv.sh scripts/find-python.sh
	@sh scripts/venv.sh "$(VENV)" "$(PYTHON)"
	@touch $@

run: venv ## a live fleet of worker processes and the console over it
	$(BIN)/opsconsole demo

check: venv ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

test: venv ## all of check, and then the suite
	@$(MAKE) --no-print-directory --jobs 2 check compiled
	$(BIN)/python scripts/suite.py $(JOBS)

# While mypy has one core, the other compiles the tests: else each process of the suite would do that for itself. What
# is wrong with them the suite says.
compiled: venv
	@$(BIN)/pytest --collect-only -qq >/dev/null 2>&1 || true

format: venv ## rewrite the sources in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

matrix: ## the suite on each Python 3.11 to 3.14 that is found
	@sh scripts/matrix.sh "$(MAKE)"

screenshots: venv ## draw the pictures of the documentation anew
	$(BIN)/python scripts/screenshots.py

bench: ## measure, and write bench/results.md
	@sh scripts/bench.sh "$(VENV)-bench" "$(PYTHON)"

crash: venv ## the random harnesses at full length
	OPSCONSOLE_FULL=1 $(PYTEST) --timeout 0 tests/simulation tests/properties tests/remote/test_bad_lines.py \
	  tests/contracts/test_backend.py tests/hygiene/test_imports.py

soak: venv ## hundreds of incidents on real services, with and without a keeper that is killed; S1's targets
	OPSCONSOLE_FULL=1 $(BIN)/pytest --timeout 0 -rP tests/simulation/test_soak.py

fuzz: venv ## a hundred thousand requests and raw bytes at a server
	OPSCONSOLE_FULL=1 $(PYTEST) --timeout 0 tests/server/test_fuzz.py

hostile: venv ## a hundred thousand hostile strings on every path to a screen, and through the command line
	OPSCONSOLE_FULL=1 $(PYTEST) --timeout 0 tests/console/test_sweep.py tests/console/test_hostile.py tests/cli/test_hostile.py

acceptance: venv ## a real OpenSSH client and tmux between an operator and the console; needs both
	@for tool in ssh tmux; do command -v $$tool >/dev/null || \
	  { echo "make acceptance needs $$tool, and there is none here" >&2; exit 1; }; done
	$(BIN)/python -m pytest -p tests.conftest acceptance

wheels: venv ## both wheels, each built in a clean environment, into dist/
	$(BIN)/python -m build --wheel --outdir dist .
	$(BIN)/python -m build --wheel --outdir dist packaging/opsgate

lock: ## resolve the dependencies anew into requirements.lock (needs uv)
	@sh scripts/lock.sh

clean: ## remove what was built and measured, and the environments
	rm -rf .venv .venv-* build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests scripts bench packaging -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
