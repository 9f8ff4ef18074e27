# Huxue 护学. A machine needs Python 3.11 or newer, with venv, and make; everything else is installed into .venv.
#
#   make demo                 the sample county, told step by step; ARGS=--once ends by itself
#   make test                 static checks, fast tests, then tests with servers, on two processes each; PYTEST="-x -k ask" passes flags on
#   make check                static checks alone: import rules, policies, insecure patterns, known vulnerabilities
#   make sbom                 write docs/sbom.cdx.json: what is installed, by version, hash and licence
#   make bench                the benchmarks
#   make docs                 write docs/reference/ anew from the code
#   make lock                 resolve uv.lock anew
#   make clean                remove .venv and caches

PYTHON ?= python3
ARGS ?=
PYTEST ?=

UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The environment is ours, whatever happens to be active in the shell; the interpreter is the machine's. Without
# compiled files each process would compile all that it imports, and the tests start hundreds.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

FAST := $(wildcard $(addprefix tests/,unit property policy architecture contract))
SLOW := $(wildcard $(addprefix tests/,acceptance integration))
# In this order, not by their number of tests: the longest files have few, and the last of them would run alone.
# With flags of the caller's own, a part in which they select no test (exit code 5) is no failure.
NONE_IS_FINE = $(if $(strip $(PYTEST)),|| test $$? -eq 5)

.DEFAULT_GOAL := test
.DELETE_ON_ERROR:
.PHONY: demo test bench check quick install clean lock docs sbom

demo: install
	$(BIN)/huxue demo $(ARGS)

test: quick
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST) $(FAST) $(NONE_IS_FINE)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST) $(SLOW) $(NONE_IS_FINE)

bench: install
	$(BIN)/python -m benchmarks $(ARGS)

check: quick
	$(BIN)/lint-imports
	$(BIN)/huxue policy check
	$(BIN)/bandit -q -ll -c pyproject.toml -r gateway connectors schemas policies
	$(BIN)/uv export --frozen --no-emit-project --format requirements-txt -q -o $(VENV)/requirements.txt
	$(BIN)/python .ci/advisories.py $(VENV)/requirements.txt

quick: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

sbom: install
	UV_PROJECT_ENVIRONMENT=$(VENV)/sbom $(BIN)/uv sync --frozen --no-dev --no-install-project -q
	$(BIN)/cyclonedx-py environment $(VENV)/sbom --pyproject pyproject.toml --of JSON --output-reproducible --sv 1.6 \
	  -o docs/sbom.cdx.json

docs: install
	$(BIN)/python -m docs.generate

lock: install
	$(BIN)/uv lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache .pytest_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(STAMP)

$(STAMP): pyproject.toml uv.lock
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "make: '$(PYTHON)' was not found. Install Python 3.11 or newer, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON) is $$($(PYTHON) --version 2>&1); 3.11 or newer is needed. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: $(PYTHON) lacks venv or ensurepip. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet 'uv==$(UV_VERSION)'
	@$(BIN)/uv sync --frozen --compile-bytecode
	@touch $(STAMP)
