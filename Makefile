# Everything runs in a virtual environment of the checkout; a machine needs python3 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# setuptools has a word of advice on every editable installation
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip --disable-pip-version-check
SETUP := setup.cfg pyproject.toml
# pytest-xdist workers; the suite is made for two cores
WORKERS ?= 2

.PHONY: help venv demo test test-root requirements fuzz lint format benchmarks wheel clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV)/.ready  ## the virtual environment .venv with the package and its libraries

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "sctcalib needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet 'setuptools>=77' wheel
	@touch $@

$(VENV)/.ready: $(VENV)/.python $(SETUP)
	$(PIP) install --quiet --no-build-isolation -e '.[raw,fit,plots]'
	@touch $@

$(VENV)/.test: $(VENV)/.ready
	$(PIP) install --quiet --no-build-isolation -e '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.ready
	$(PIP) install --quiet --no-build-isolation -e '.[lint]'
	@touch $@

$(VENV)/.root: $(VENV)/.test
	@$(PIP) install --quiet --no-build-isolation -e '.[root]' \
	  && touch $@ || echo "skipped: no wheel of ROOT for this machine"

demo: venv  ## simulate a run and find its noisy strips (in the folder demo/)
	@BIN=$(abspath $(BIN)) sh run/demo.sh

test: $(VENV)/.test  ## the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'not root' tests

test-root: $(VENV)/.root  ## the comparisons with ROOT itself, where its wheel exists
	@if [ -e $(VENV)/.root ]; then $(BIN)/python -m pytest -m root tests; fi

requirements: venv  ## which tests stand for which requirement of the expert guide
	@$(BIN)/python tests/requirements_table.py

fuzz: $(VENV)/.test  ## the byte-stream decoder on 200 000 damaged inputs
	$(BIN)/python tests/bytestream/fuzz.py

lint: $(VENV)/.lint  ## style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.lint  ## put the code into the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmarks: $(VENV)/.root  ## ratios to hadd, ROOT and uproot
	$(BIN)/python benchmarks/run.py

wheel: venv  ## dist/sctcalib-*.whl
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:  ## remove what make made
	rm -rf $(VENV) build dist demo sctcalib.egg-info .pytest_cache .mypy_cache .ruff_cache
