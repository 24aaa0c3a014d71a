# Two commands: `make demo` runs the chain here, `make test` tests everything.
# Both set up what they need in .venv; a second call starts at once.

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test check docs benchmark clean
.DEFAULT_GOAL := demo

demo: $(VENV)/local
	@$(BIN)/rebuy demo $(ARGS)

test: $(VENV)/test check
	@echo "== tests of the parts and of the whole chain"
	@$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(VENV)/test
	@echo "== style, types, import directions"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(VENV)/test
	@$(BIN)/python -m mkdocs build --strict --quiet
	@echo "build/site/index.html"

benchmark: $(VENV)/local
	@$(BIN)/python -m benchmarks.pipeline $(ARGS)

$(VENV)/local: setup.py constraints.txt tools/environment.sh tools/install.py
	@sh tools/environment.sh "$(PYTHON)" $(VENV) local

$(VENV)/test: setup.py constraints.txt tools/environment.sh tools/install.py
	@sh tools/environment.sh "$(PYTHON)" $(VENV) test

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
