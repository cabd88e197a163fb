# make app: set everything up and open the app. make test: set up and run all tests.
# make lowest: run the quick tests with the lowest versions that requirements.txt allows.
# make bench: measure the claims about speed and write bench/results.md.
# make bench-recipes: compare whole recipes, patients apart and at random; bench/recipes.md.
# make bench-class: thirty visitors at one server, for a bit more than two minutes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest

.PHONY: app test lowest bench bench-recipes bench-class lint clean

app: $(VENV)/app.stamp
	$(BIN)/streamlit run app.py

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest

lowest: $(LOWEST)/test.stamp
	$(LOWEST)/bin/python -m pytest -m "not slow and not browser"

bench: $(VENV)/test.stamp
	$(BIN)/python -m bench

bench-recipes: $(VENV)/test.stamp
	$(BIN)/python -m bench.recipes

bench-class: $(VENV)/test.stamp
	$(BIN)/python -m bench.class_load

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/pyrefly check --python-interpreter-path $(BIN)/python

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one: make app PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/app.stamp: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install -r requirements.txt
	touch $@

$(VENV)/test.stamp: requirements.txt requirements-test.txt requirements-encoders.txt | $(BIN)/python
	$(BIN)/python -m pip install -r requirements.txt -r requirements-test.txt -r requirements-encoders.txt
	touch $@ $(VENV)/app.stamp

# pip always takes the newest: uv takes the lowest, and only such as are built for this Python.
$(LOWEST)/test.stamp: requirements.txt requirements-test.txt requirements-encoders.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install uv
	$(LOWEST)/bin/uv pip install --python $(LOWEST)/bin/python --resolution lowest-direct --only-binary :all: -r requirements.txt -r requirements-test.txt -r requirements-encoders.txt
	touch $@

clean:
	rm -rf $(VENV) $(LOWEST) .coverage .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
