# make demo | run | test. Paths are relative throughout, so the checkout may lie in a folder with spaces in its name.

PYTHON ?= python3
DURATION ?= 60
ARGS ?=
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo run test bench soak bot-load evaluate pushes cascades frames features drills lint lock

help:
	@echo "make demo   the daemon against a simulated market, for DURATION=$(DURATION) seconds (0: until Ctrl-C)"
	@echo "make run    the daemon on the live public feeds"
	@echo "make test   lint, types and every test"
	@echo "make bench  what a trade costs, beside other clients (installs them; about ten minutes)"
	@echo "make soak   half an hour on seven simulated venues: memory, processor, lost trades"
	@echo "make bot-load  how fast the bot answers, tells and draws under load, and its memory (25 minutes)"
	@echo "make evaluate  the detectors and zones on recorded days, as a page (needs ../shared/data; under 15 minutes)"
	@echo "make pushes what the whole daemon sends on recorded days, by policy of thresholds (needs ../shared/data; an hour)"
	@echo "make cascades  cascades in the simulator, where the truth is known, beside two simpler detectors (ten minutes)"
	@echo "make frames what every recorded frame comes to, as a table (recordings in ../shared/data)"
	@echo "make features  every optional feature failing in every way, beside core detection (make test runs a selection)"
	@echo "make drills   a whole daemon through a locked file, a dead drawing process and ten minutes without Telegram (a quarter of an hour)"
	@echo "make lint   lint and types alone"
	@echo "make lock   pin the newest allowed versions into requirements*.txt"
	@echo "ARGS='...'  further options, such as ARGS='--telegram'"

setup: .venv/installed

demo: setup
	@$(BIN)/python run.py demo --seconds $(DURATION) $(ARGS)

run: setup
	@$(BIN)/python run.py $(ARGS)

test: lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(ARGS)

bench: .venv/bench/installed
	.venv/bench/bin/python -m benchmarks.window
	.venv/bench/bin/python -m benchmarks.ingest $(ARGS)
	.venv/bench/bin/python -m benchmarks.pipeline $(ARGS)

soak: setup
	$(BIN)/python -m benchmarks.soak $(ARGS)

bot-load: .venv/installed-dev
	@$(BIN)/python -m benchmarks.bot $(ARGS)

evaluate: setup
	@$(BIN)/python run.py backtest --out .evaluation $(ARGS)

pushes: setup
	@$(BIN)/python -m benchmarks.pushes $(ARGS)

cascades: .venv/installed-dev
	@$(BIN)/python -m benchmarks.cascades $(ARGS)

frames: .venv/installed-dev
	@$(BIN)/python -m benchmarks.frames_table

features: .venv/installed-dev
	EVERY_CASE=1 $(BIN)/python -m pytest tests/process/test_features.py $(ARGS)

drills: .venv/installed-dev
	DRILLS=1 $(BIN)/python -m pytest tests/actors/notifiers/test_bursts.py tests/process/test_long_drills.py -s $(ARGS)

lint: .venv/installed-dev
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy

lock: .venv/installed-dev
	$(BIN)/python -m pip install --quiet "pip-tools>=7.4"
	$(BIN)/python -m piptools compile $(LOCK) --extra demo --extra backtest --output-file requirements.txt pyproject.toml
	$(BIN)/python -m piptools compile $(LOCK) --extra demo --extra backtest --extra dev --output-file requirements-dev.txt pyproject.toml

LOCK = --quiet --upgrade --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

# The stamps make a second `make` instant: pip runs only after a requirements file changed.
.venv/installed: requirements.txt .venv/created
	@echo "installing what the daemon needs into .venv/"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch .venv/installed

.venv/installed-dev: requirements-dev.txt .venv/installed
	@echo "installing the tools for tests into .venv/"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/installed-dev

# In an environment of its own: the clients to compare with want other versions than ours of what both use.
.venv/bench/installed: requirements-bench.txt pyproject.toml
	@$(PYTHON) -m venv .venv/bench
	@.venv/bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt $(OURS)
	@touch .venv/bench/installed

# What the daemon needs, as pyproject.toml bounds it.
OURS = `$(PYTHON) -c 'import tomllib; print(*(one.replace(" ", "") for one in \
	tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]))'`

.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Foreshock needs Python 3.11 or newer; \
	$(PYTHON) is `$(PYTHON) --version 2>&1`. Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "python's venv module is missing (on Debian: apt install python3-venv)" >&2; exit 1; }
	@touch .venv/created
