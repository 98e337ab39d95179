# make demo   three peers with virtual printers share a queue and print real g-code
# make test   everything that CI does
#
# PYTHON chooses the interpreter, each with a virtual environment of its own.

PYTHON ?= python3
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test check format screenshot clean

setup: $(READY)

$(READY): pyproject.toml .ci/system-packages
	sh .ci/system-packages $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

demo: $(READY)
	$(BIN)/python -m tests.demo

test: check
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshot: $(READY)
	$(BIN)/python -m tests.screenshot docs/page.png

clean:
	rm -rf .venv .venv-* .demo .coverage dist
