# Two commands do everything on a fresh machine: `make check` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RELEASES := sglang==0.5.12.post1 sglang==0.5.13.post1

.PHONY: check test bench lint systems clean

# The main job: our implementation must be clean, then SGLang 0.5.12.post1 is searched from cold.
# Finding bugs in that release is what is expected of it, so that the exit code there must be 1.
check: systems
	$(BIN)/radixproof check radix --profile ci
	$(BIN)/radixproof check sglang==0.5.12.post1 --profile ci; test $$? -eq 1
	test -f findings/sglang-0-5-12-post1/progress-never-backed-up.json
	@echo "As expected: our own cache is clean, and that release is not. Its PROGRESS/never-backed-up is SGLang pull request 25065."

test: systems
	$(BIN)/python -m pytest

bench: $(READY)
	$(BIN)/python benchmarks/checking.py

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

systems: $(READY)
	$(BIN)/radixproof systems add $(RELEASES)

# torch is installed first and alone, pinned: nothing else may pull in another build of it.
$(READY): pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable .
	touch $(READY)

clean:
	rm -rf $(VENV) build findings *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
