# `make demo` and `make test` work on a fresh clone; the rest is for people who work on the house.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-realdata lint lock clean

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and "Python >= 3.11 is needed, found %d.%d: make PYTHON=python3.11" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: $(READY)
	rm -rf demo
	$(BIN)/genomics-pipeline simulate --out demo/cohort
	$(BIN)/genomics-pipeline run demo/cohort/cohort.csv --reference demo/cohort/reference.fa --out demo/run --truth demo/cohort/truth.vcf.gz

test: $(READY)
	$(BIN)/python -m pytest -n auto -m "not realdata"

test-realdata: $(READY)
	$(BIN)/python -m pytest -m realdata

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock:
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) demo build dist
