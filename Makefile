# Everything a developer needs; `make help` lists it. Nothing is installed outside .venv and .venv-wheel,
# except the system tools of deploy/dev/install-debian.sh, and those only as root on Debian.

DEMO    = holdfast up --demo
SERVERS = postgres redis elasticsearch s3 postfix exim dovecot
# One more than the cores it is meant for: many tests wait for servers.
WORKERS = 3
PYTHON  ?= python3

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-strip-extras

# Each test starts many programs: without compiled files each compiles the product again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test dev fmt lint types layers check wheel bench proof clean install install-dev lock tools

help:  ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-15s %s\n", $$1, $$2 }'

run: install  ## Set up and show the main job on the embedded defaults
	$(BIN)/$(DEMO)

test: install-dev tools  ## Set up and run every check, all tests and the built wheel
	@$(MAKE) --no-print-directory check
	@rm -f .coverage .coverage.*
	@# Few heaps for many threads: processes that fork as often as tests do pay for each page.
	MALLOC_ARENA_MAX=2 $(BIN)/pytest -n $(WORKERS) --cov --cov-report=json:.coverage.json --cov-report=
	$(BIN)/python tests/support/coverage_floor.py .coverage.json pyproject.toml
	@$(MAKE) --no-print-directory wheel

dev: install-dev tools  ## Set up everything for development
	@echo "Ready: . $(BIN)/activate"

fmt: install-dev  ## Format the code and fix what can be fixed safely
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: install-dev  ## Check format, style, spelling and templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	@if [ -n "$$(find api -name '*.html' -print -quit)" ]; then set -x; $(BIN)/djlint api --lint; fi

types: install-dev  ## Check types of the product and of the tests
	$(BIN)/mypy

layers: install-dev  ## Check who may import whom
	$(BIN)/lint-imports

check: lint types layers  ## All checks that run no test

# From the source archive, as a packager does it; then used with the sources out of sight.
wheel: install-dev  ## Build the wheel, install it in a fresh environment and try it there
	rm -rf dist .venv-wheel
	$(BIN)/pyproject-build --no-isolation --outdir dist > /dev/null
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip --disable-pip-version-check --quiet install \
	  --require-hashes -r requirements/runtime.txt
	.venv-wheel/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-index dist/*.whl
	@away=$$(mktemp -d) && cp tests/support/wheel_smoke.py "$$away" && cd "$$away" && \
	  "$(CURDIR)/.venv-wheel/bin/python" -I wheel_smoke.py; status=$$?; rm -rf "$$away"; exit $$status

bench:  ## List the measurements; each is one command
	@for each in bench/*.py; do if [ -e "$$each" ]; then \
	  printf '%s %-32s %s\n' "$(BIN)/python" "$$each" "$$(sed -n '1s/"""//gp' "$$each")"; fi; done

# Goes on where an earlier run of the same commit ended; FRESH=1 begins anew, ONLY=a,b chooses by name.
proof: install-dev tools $(VENV)/.installed-fuzz  ## Run the expensive proofs in full (CORPUS=path for real data)
	$(BIN)/python tests/proof/run.py $(if $(FRESH),--fresh) $(if $(ONLY),--only '$(ONLY)')

clean:  ## Remove what checks, tests and builds left behind
	rm -rf dist .venv-wheel .coverage .coverage.* htmlcov .mypy_cache .pytest_cache .ruff_cache \
	  .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

tools:
	@deploy/dev/install-debian.sh
	@for each in $(SERVERS) checkers; do deploy/dev/$$each.sh install || exit 1; done

lock: install-dev  ## Resolve requirements/*.in anew (UPGRADE=--upgrade for newer versions)
	@for each in runtime build engines dev fuzz; do \
	  $(LOCK) $(UPGRADE) requirements/$$each.in -o requirements/$$each.txt || exit 1; done

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Holdfast needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "Python's venv is missing. Debian, Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/runtime.txt requirements/build.txt | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.installed-fuzz: requirements/fuzz.txt $(VENV)/.installed-dev
	$(PIP) install --require-hashes -r requirements/fuzz.txt
	@touch $@
