# Every target sets up its own .venv when that is missing or older than pyproject.toml.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LIBRARIES := .venv-libraries
LIBRARIES_READY := $(LIBRARIES)/.ready

.PHONY: help demo test test-libraries matrix support pictures bench docs lint clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "elastictm needs Python 3.10 or newer")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group test --group browser --group docs --group notebooks --group lint
	@touch $@

demo: $(READY)  ## run a training notebook, save it, restore it elsewhere, compare everything
	$(BIN)/python benchmarks/demo.py

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

$(LIBRARIES_READY): pyproject.toml tests/kinds/requirements.lock
	$(PYTHON) -m venv --clear $(LIBRARIES)
	$(LIBRARIES)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(LIBRARIES)/bin/python -m pip install --quiet --requirement tests/kinds/requirements.lock
	$(LIBRARIES)/bin/python -m pip install --quiet --editable . --group test
	@touch $@

test-libraries: $(LIBRARIES_READY)  ## run the kinds of values of many libraries
	$(LIBRARIES)/bin/python -m pytest tests/kinds/libraries.py

matrix: $(READY)  ## restore the gallery's notebooks, saved under each Python here, under each other one
	$(BIN)/python tests/gallery/matrix.py

support: $(LIBRARIES_READY)  ## run all kinds of values and write docs/support.md
	$(LIBRARIES)/bin/python -m elastictm.testing.support_page tests/kinds/rows docs/support.md

pictures: $(READY)  ## run a notebook and take the pictures of its graph for the docs
	$(BIN)/python docs/pictures.py

bench: $(READY)  ## measure; prints tables and writes benchmarks/results.md
	$(BIN)/python benchmarks/run.py

docs: $(READY)  ## write the reference and build the pages in build/site
	$(BIN)/python docs/make_reference.py
	$(BIN)/mkdocs build --strict --quiet

lint: $(READY)  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## remove what the targets made
	rm -rf $(VENV) $(LIBRARIES) .venv-gallery-3.* build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
