# Two commands do everything: `make demo` and `make test`. `make help` lists the others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo demo-check test test-long shuffled check bench mutants audit sbom client lock format clean

help:
	@echo "make demo       the platform with a living city: shop, store, courier, console (Ctrl-C stops it)"
	@echo "make test       install what tests need and run them (under ten minutes on two cores)"
	@echo "make test-long  the long suites in full numbers (under an hour on two cores); prints their table"
	@echo "make shuffled  the tests of make test ten times, each in another order"
	@echo "make check      format, lint, types, floors, translations, tests"
	@echo "make bench      what is measured, printed as tables"
	@echo "make mutants    small changes of the ledger, holds, states and notifications that the tests must notice"
	@echo "make audit      recompute the invariants of the demo's books"
	@echo "make sbom       a CycloneDX bill of all materials: build/sbom.cdx.json"
	@echo "make client     the Python client of /api/v1, generated into build/client"
	@echo "make lock       resolve requirements/*.in into hashed locks"

$(STAMPS)/base: requirements/base.txt pyproject.toml
	@mkdir -p $(STAMPS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what Highstreet needs (hash-checked) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/base
	@echo "installing what tests need (hash-checked) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(STAMPS)/chromium:
	@mkdir -p $(STAMPS)
	@sh scripts/chromium.sh
	@touch $@

demo: $(STAMPS)/base
	@$(BIN)/highstreet demo $(ARGS)

demo-check: $(STAMPS)/base
	@$(BIN)/highstreet --data var/check demo --port 8200 --speed 8 --empty --check

test: $(STAMPS)/dev $(STAMPS)/chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-long: $(STAMPS)/dev $(STAMPS)/chromium
	$(BIN)/python -m pytest -m long --timeout=3600 -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/operations
	@echo "what measures time runs alone"
	$(BIN)/python -m pytest -m long --timeout=3600 tests/operations

shuffled: $(STAMPS)/dev $(STAMPS)/chromium
	@for seed in $(or $(SEEDS),1 2 3 4 5 6 7 8 9 10); do echo "== order $$seed"; \
	  $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -p randomly \
	  --randomly-seed=$$seed || exit 1; done

check: $(STAMPS)/dev
	$(BIN)/ruff format --check src tests bench scripts
	$(BIN)/ruff check src tests bench scripts
	DATABASE_URL=postgresql:///none $(BIN)/mypy src tests bench scripts
	$(BIN)/lint-imports
	$(BIN)/python scripts/messages.py --check
	$(BIN)/python scripts/vendor.py --check
	$(MAKE) test

bench: $(STAMPS)/dev
	@for file in $(filter-out bench/mutants.py,$(shell grep -l '^if __name__ == "__main__"' bench/*.py)); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

mutants: $(STAMPS)/dev
	@nice -n 15 $(BIN)/python bench/mutants.py

audit: $(STAMPS)/base
	@$(BIN)/highstreet --data var audit

client: $(STAMPS)/dev
	@$(BIN)/python scripts/client.py

format: $(STAMPS)/dev
	$(BIN)/ruff check --fix src tests bench scripts
	$(BIN)/ruff format src tests bench scripts

sbom: $(STAMPS)/dev
	@$(BIN)/python scripts/sbom.py

lock:
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 requirements/base.in -o requirements/base.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 -c requirements/base.txt requirements/dev.in -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 bench/oscar/requirements.in -o bench/oscar/requirements.txt

clean:
	rm -rf $(VENV) $(STAMPS)
