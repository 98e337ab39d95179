# make demo   three peers with virtual printers share a queue and print real g-code
# make quick  the checks, and the tests that need no real processes: under 2 minutes
# make test   everything that CI does
#
# PYTHON chooses the interpreter, each with virtual environments of its own.
# Most of the tests' time is spent waiting for real processes, so two files are run at a time.

PYTHON ?= python3
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# OctoPrint pins much of what it needs, so it gets an environment of its own, with us in it as a plugin.
OCTOPRINT := $(VENV)/octoprint
# What checks the page comes from npm.
PAGE_TOOLS := web/node_modules/.ready

.PHONY: setup demo quick test coverage bench check check-page format screenshot clean

setup: $(READY)

$(READY): pyproject.toml .ci/system-packages
	sh .ci/system-packages $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

$(OCTOPRINT)/.ready: $(READY)
	$(PYTHON) -m venv $(OCTOPRINT)
	$(OCTOPRINT)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(OCTOPRINT)/bin/python -m pip install --quiet --editable . --group octoprint
	touch $@

$(PAGE_TOOLS): web/package.json web/package-lock.json web/.npmrc
	npm ci --prefix web --no-audit --no-fund --silent
	touch $@

demo: $(READY)
	$(BIN)/python -m tests.demo

# The checks, and all tests without real processes, a browser or many seeds.
quick: check
	CRDTQUEUE_QUICK=1 $(BIN)/python -m pytest -n 2 -q -m "not e2e and not browser and not long" --ignore tests/interop

test: check $(OCTOPRINT)/.ready
	CRDTQUEUE_OCTOPRINT=$(CURDIR)/$(OCTOPRINT)/bin/octoprint $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

coverage: $(OCTOPRINT)/.ready
	CRDTQUEUE_OCTOPRINT=$(CURDIR)/$(OCTOPRINT)/bin/octoprint $(BIN)/coverage run -m pytest
	$(BIN)/coverage report

# Each prints its numbers; docs/gcode.md and docs/claims.md say how their opponents are installed.
bench: $(OCTOPRINT)/.ready
	$(BIN)/python -m tests.benchmarks.document_bench
	$(BIN)/python -m tests.benchmarks.store_bench
	$(BIN)/python -m tests.benchmarks.emergency_stop
	CRDTQUEUE_OCTOPRINT_PYTHON=$(OCTOPRINT)/bin/python $(BIN)/python -m tests.benchmarks.serial_compare

check: $(READY) check-page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The types and the format of the page's modules and of the plugin's.
check-page: $(READY)
	@if command -v npm >/dev/null; \
	then $(MAKE) --no-print-directory $(PAGE_TOOLS) && npm run --silent --prefix web check; \
	else echo "npm is not installed, so the types and the format of the page are not checked." >&2; fi

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@if command -v npm >/dev/null; \
	then $(MAKE) --no-print-directory $(PAGE_TOOLS) && npm run --silent --prefix web format; fi

screenshot: $(READY) $(OCTOPRINT)/.ready
	CRDTQUEUE_OCTOPRINT=$(CURDIR)/$(OCTOPRINT)/bin/octoprint $(BIN)/python -m tests.screenshot docs

clean:
	rm -rf .venv .venv-* .demo .coverage dist web/node_modules
