# make app: set everything up and open the app. make test: set up and run all tests.
# make bench: measure the claims about speed and write bench/results.md.
# make bench-recipes: compare whole recipes, patients apart and at random; bench/recipes.md.
# make bench-class: thirty visitors at one server, for a bit more than two minutes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test bench bench-recipes bench-class lint clean

app: $(VENV)/app.stamp
	$(BIN)/streamlit run app.py

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest

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

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
