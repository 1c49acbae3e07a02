# Two commands do everything on a fresh machine: `make check` and `make test`.
# The newest supported Python that runs by its name, unless it is given: `make PYTHON=python3.12 test`.
SUPPORTED := 3.13 3.12 3.11
PYTHON ?= $(firstword $(foreach version,$(SUPPORTED),$(shell python$(version) -c \
	'print("python$(version)")' 2>/dev/null)) python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The releases of SGLang that are driven; `make test` tries the oldest and the newest.
RELEASES := $(addprefix sglang==,0.5.12.post1 0.5.13.post1 0.5.14 0.5.15.post1 0.5.16 0.5.17 \
	0.5.18 0.5.19 0.5.20 0.5.21 0.5.22 0.5.23)
# Much of the tests' time goes into starting processes: Python may keep the bytecode it compiles.
export PYTHONDONTWRITEBYTECODE :=
# A process more than there are cores: some tests wait.
PARALLEL = --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal

.PHONY: check test releases torture gate cluster matrix matrix-short pythons drawing bench power power-short mutants lint \
	symbolic symbolic-short explore-short kernels bench-gpu systems docs clean

# The main job: our implementation must be clean, then SGLang 0.5.12.post1 is searched from cold.
# Finding bugs in that release is what is expected of it, so that the exit code there must be 1.
# In 0.5.23, with either core, nothing new may be found.
check: $(READY)
	$(BIN)/radixproof systems add sglang==0.5.12.post1 sglang==0.5.23
	$(BIN)/radixproof check radix --profile ci
	$(BIN)/radixproof check sglang==0.5.12.post1 --profile ci --cold; test $$? -eq 1
	test -f findings/sglang-0-5-12-post1/progress-never-backed-up-1/history.json
	$(BIN)/radixproof check sglang==0.5.23 sglang==0.5.23+rust --known builtin -j 2
	@echo "As expected: our own cache is clean, SGLang 0.5.12.post1 is not, and 0.5.23 has nothing new."
	@echo "PROGRESS/never-backed-up of 0.5.12.post1 is SGLang pull request 25065."

test: $(READY)
	@$(BIN)/radixproof systems add $(firstword $(RELEASES)) $(lastword $(RELEASES))
	$(BIN)/python -m pytest $(PARALLEL)

# What is long by nature (thousands of cases), in full; `make test` tries a fixed small share of it.
torture: systems
	$(BIN)/python -m pytest $(PARALLEL) -m "torture or long" --torture --releases

# What `make test` tries on the newest release of SGLang, on all others, and what takes minutes there.
releases: systems
	$(BIN)/python -m pytest $(PARALLEL) -m release --releases

# The examples as their users run them: the workflow for CI (examples/ci/), green as it is and red with
# a bug more, and the tutorial for a cache of one's own, word for word, from the wheel.
gate: systems
	$(BIN)/python -m pytest -m gate --gate

# Searches on a Ray cluster of two nodes, which is started here.
cluster: $(VENV)/.cluster
	$(BIN)/python -m pytest -m cluster --cluster

# Every release and core in one table, in build/matrix: half an hour and more. If interrupted, `make
# matrix RESUME=--resume` goes on, as long as the code is the same.
matrix: systems
	$(BIN)/radixproof matrix --profile ci -j $$(getconf _NPROCESSORS_ONLN) --out build/matrix --known builtin $(RESUME)

# For CI: the seed's bug and its mending, and the newest with both cores; new findings are red.
matrix-short: $(READY)
	$(BIN)/radixproof systems add sglang==0.5.12.post1 sglang==0.5.13.post1 sglang==0.5.23
	rm -rf build/matrix-short
	$(BIN)/radixproof matrix sglang==0.5.12.post1 sglang==0.5.13.post1 sglang==0.5.23 sglang==0.5.23+rust \
		-j $$(getconf _NPROCESSORS_ONLN) --out build/matrix-short --known builtin

# The core on every supported Python that is found here, each in an environment of its own.
pythons: $(READY)
	$(BIN)/python -m pytest $(PARALLEL) --pythons tests/test_pythons.py

bench: $(READY)
	$(BIN)/radixproof systems add sglang==0.5.23
	$(BIN)/python benchmarks/table.py

# Every planted bug, every driver, then sabotage of single steps: most of two hours. If interrupted, `make power RESUME=--resume`
# goes on, as long as the code is the same.
power: $(READY)
	$(BIN)/radixproof power --drivers soak machine --seeds 20 --out build/power $(RESUME)
	$(BIN)/radixproof power --drivers baseline explorer corpus others --seeds 1 --out build/power --resume
	cp build/power/power.md build/power/power.json build/power/power.svg docs/
	$(BIN)/radixproof sensitivity --out build/sensitivity $(RESUME)
	cp build/sensitivity/sensitivity.md docs/

# For CI: what docs/power.json has as found by the soak must still be found by it.
power-short: $(READY)
	rm -rf build/power-short
	$(BIN)/radixproof power --drivers soak --seeds 1 --profile ci --out build/power-short --expect docs/power.json

# Small changes to the core of our implementation, and to the model, one by one: the share of them
# that is noticed. Hours.
mutants: $(VENV)/.mutants
	$(BIN)/python benchmarks/mutants/score.py impl
	$(BIN)/python benchmarks/mutants/score.py model

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	for version in $(SUPPORTED); do $(BIN)/mypy --python-version $$version || exit; done
	$(BIN)/mypy tests examples benchmarks docs conftest.py

# The kernels of the copy engine on a CPU, by Triton's interpreter, against indexed copies.
kernels: $(VENV)/.triton
	$(BIN)/python -m pytest -q tests/impl/radix/test_direct.py

# On a machine with a GPU: what is marked `gpu`, and the copy engine against a pinned memcpy. Nothing is installed: any
# Python with a CUDA build of torch, Triton, pytest and Hypothesis will do. BENCH_OUT is where the figures go.
BENCH_OUT ?= build/bench-gpu
ON_GPU := tests/impl/radix/test_cuda.py tests/impl/radix/test_engine_races.py tests/impl/radix/test_engine_sanitizers.py \
	tests/impl/radix_adapter/test_scheduled_racing.py tests/impl/radix_adapter/test_target_devices.py
bench-gpu:
	PYTHONPATH=. $(PYTHON) -m pytest -q -p no:cacheprovider -m gpu $(ON_GPU)
	PYTHONPATH=. $(PYTHON) benchmarks/gpu.py --out $(BENCH_OUT)

# CrossHair on the contracts of the model's rules (properties/symbolic/contracts.py): some minutes, or about one.
symbolic: $(VENV)/.symbolic
	$(BIN)/python -m radixproof.properties.symbolic.crosshair

symbolic-short: $(VENV)/.symbolic
	$(BIN)/python -m radixproof.properties.symbolic.crosshair --short

# For CI: most of the scopes that are here, of our own cache, in under a minute on two cores.
explore-short: $(READY)
	rm -rf build/explore-short
	$(BIN)/radixproof explore radix --scope quick -j $$(getconf _NPROCESSORS_ONLN) --out build/explore-short

# The drawing of packages and imports in CONTRIBUTING.
drawing:
	$(PYTHON) docs/draw_packages.py --write

# The documentation as a site, in build/site; a link that leads nowhere is an error.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --site-dir build/site

# Fetched as wheels, several at a time.
systems: $(READY)
	@printf '%s\n' $(RELEASES) | xargs -n 2 -P 4 $(BIN)/radixproof systems add

# torch is installed first and alone, pinned: nothing else may pull in another build of it.
$(READY): pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable .
	touch $(READY)

$(VENV)/.mutants: $(READY) requirements-mutants.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt -r requirements-mutants.txt
	touch $@

$(VENV)/.docs: $(READY) requirements-docs.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt -r requirements-docs.txt
	touch $@

$(VENV)/.cluster: $(READY) requirements-cluster.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt -r requirements-cluster.txt
	touch $@

$(VENV)/.triton: $(READY) requirements-triton.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -r requirements-triton.txt
	touch $@

$(VENV)/.symbolic: $(READY) requirements-symbolic.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt -r requirements-symbolic.txt
	touch $@

clean:
	rm -rf $(VENV) build findings *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
