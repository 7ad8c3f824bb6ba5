# Needs Python >= 3.11 with pip. What else it takes is set up here: uv in .tools/, the locked
# packages in wheels/, the environment in .venv/.

PYTHON ?= python3
TAG := $(shell $(PYTHON) -c "import sys; print(sys.implementation.cache_tag)")

UV := .tools/bin/uv
WHEELS := wheels/.complete-$(TAG)
ENV := .venv/.ready
RUN := .venv/bin/python
BARE := .venv-bare/.ready
PYTEST = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m pytest -n auto --dist loadgroup
SYNC = $(UV) sync --locked --all-packages --all-groups --no-index --find-links wheels --python $(PYTHON)

export UV_PYTHON_DOWNLOADS := never

.PHONY: env demo test test-bare lint format types stubs bench lock clean

env: $(ENV)  ## the environment, with every package editable

demo: $(ENV)  ## what tallow does, in two minutes and one page: demo/report.html
	$(RUN) examples/demo/demo.py

test: $(ENV)  ## the whole suite, or TESTS="tests/core -k conv"
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(PYTEST) $(TESTS)

test-bare: $(BARE)  ## core's suite on NumPy alone: no kernels, no CuPy, no compiler, no PyTorch
	PATH=$(CURDIR)/.venv-bare/bin TALLOW_KERNELS=0 $(PYTEST) tests/core

lint: $(ENV)
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check

format: $(ENV)
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

types: $(ENV)
	$(RUN) -m mypy

stubs: $(ENV)  ## tensor.pyi, which shows editors the methods of Tensor
	$(RUN) tools/stubs.py

bench: $(ENV)  ## tallow and PyTorch in turns, where PyTorch is installed (CONTRIBUTING.md)
	$(RUN) benchmarks/run.py

lock: $(UV)  ## uv.lock anew, after a change of dependencies
	$(PYTHON) tools/lock.py

clean:
	rm -rf .venv .venv-bare .tools wheels .pytest_cache .ruff_cache .mypy_cache

$(UV):
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python >= 3.11 is needed: make PYTHON=python3.11')"
	$(PYTHON) -m pip install --quiet --target .tools "uv>=0.13,<0.14"

# From wheels/ alone where that is complete, so without a network; else from the index that pip has.
$(WHEELS): uv.lock | $(UV)
	mkdir -p wheels
	$(UV) export --quiet --frozen --no-emit-workspace --all-packages --all-groups -o wheels/requirements.txt
	download="$(PYTHON) -m pip download --quiet --no-deps --only-binary :all: --require-hashes -d wheels -r wheels/requirements.txt"; \
	    $$download --no-index --find-links wheels 2>/dev/null || $$download
	touch $@

$(ENV): $(WHEELS) pyproject.toml $(wildcard packages/*/pyproject.toml packages/kernels/*make* packages/kernels/src/*.?pp packages/kernels/src/*/*.?pp)
	$(SYNC)
	touch $@

$(BARE): $(ENV)
	UV_PROJECT_ENVIRONMENT=.venv-bare $(SYNC) --no-install-package tallow-kernels
	touch $@
