# `make run` and `make test` do everything from a bare checkout; they need Python >= 3.11 and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Bytecode is cached whatever the environment says: tests start many processes, and rewritten assertions cost seconds.
export PYTHONDONTWRITEBYTECODE :=
PORT ?= 8000
WORKERS ?= 1
# Locked versions with their hashes, and no build of our own package in an environment that nobody locked.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
INSTALL_SELF := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# What was not translated is empty, and never a guess; what is said no more goes.
WORDS := --mapping-file pyproject.toml --keywords Sentence --add-location file --no-wrap --project eventcal
CATALOGUES := --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap

.PHONY: help run test test-quick test-all browse pictures fuzz check record compare examples bench format words lock clean

help:  ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run.stamp  ## Serve the demo calendar on http://127.0.0.1:8000
	$(BIN)/eventcal db upgrade
	$(BIN)/eventcal demo
	$(BIN)/eventcal serve --port $(PORT) --workers $(WORKERS)

test: $(VENV)/dev.stamp  ## Run the tests, on PostgreSQL too wherever the databases may differ
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

test-quick: $(VENV)/dev.stamp  ## Run unit, database and HTTP tests on SQLite only, for every save
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --extent quick tests/unit tests/db tests/http $(ARGS)

test-all: $(VENV)/dev.stamp  ## Run the tests with every HTTP test on both databases and every generated case
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --extent all $(ARGS)

browse: $(VENV)/dev.stamp  ## Check every page in Debian's Chromium, where it is installed
	$(BIN)/python -m pytest tests/browser --numprocesses auto --dist worksteal $(ARGS)

pictures: $(VENV)/dev.stamp  ## Take the README's pictures (docs/pictures) and those of every page (build/pictures)
	$(BIN)/python -m tests.browser.for_readme docs/pictures
	$(BIN)/python -m tests.browser.pictures build/pictures

fuzz: $(VENV)/dev.stamp  ## Run every test with examples that nobody saw yet
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --hypothesis-profile new $(ARGS)

check: $(VENV)/dev.stamp  ## Hold the code against the law in pyproject.toml
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

record: $(VENV)/dev.stamp  ## Record every response of the application: make record OUT=build/before
	$(BIN)/python -m tests.comparison record $(OUT)

compare: $(VENV)/dev.stamp  ## Compare two recordings: make compare BEFORE=build/before AFTER=build/after
	$(BIN)/python -m tests.comparison compare $(BEFORE) $(AFTER)

examples: $(VENV)/dev.stamp  ## Update the responses in docs/api.md
	$(BIN)/python -m tests.api_examples

bench: $(VENV)/dev.stamp  ## Measure what answers cost, beside a floor (docs/benchmarks.md)
	$(BIN)/python -m bench $(ARGS)

format: $(VENV)/dev.stamp  ## Put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

words: $(VENV)/dev.stamp  ## Bring the catalogues up to what the pages say; new words wait to be translated
	$(BIN)/python -m babel.messages.frontend --quiet extract $(WORDS) --output-file $(VENV)/words.pot eventcal
	$(BIN)/python -m babel.messages.frontend --quiet update $(CATALOGUES) --input-file $(VENV)/words.pot --output-dir eventcal/translations

lock:  ## Lock the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --upgrade pyproject.toml requirements/build.in --output-file requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --upgrade --constraint requirements/run.txt pyproject.toml requirements/build.in \
		requirements/dev.in --output-file requirements/dev.txt

clean:  ## Remove what was made, the local database apart
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "eventcal needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --requirement requirements/run.txt
	$(INSTALL_SELF)
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	$(INSTALL) --requirement requirements/dev.txt
	touch $@
