# Every target sets up its own .venv when that is missing or older than pyproject.toml.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test bench lint clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "elastictm needs Python 3.10 or newer")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group test --group notebooks --group lint
	@touch $@

demo: $(READY)  ## run a training notebook, save it, restore it elsewhere, compare everything
	$(BIN)/python benchmarks/demo.py

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(READY)  ## measure; prints tables and writes benchmarks/results.md
	$(BIN)/python benchmarks/run.py

lint: $(READY)  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## remove what the targets made
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
