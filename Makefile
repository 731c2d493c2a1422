# `make` prints the targets.
PYTHON ?= python3
BIN := .venv/bin
# Compiled modules are kept beside the sources: a run starts two dozen processes that import torch.
export PYTHONDONTWRITEBYTECODE :=
.DEFAULT_GOAL := help
.PHONY: help install smoke test test-slow lint format lock pictures clean

help:  ## print this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install:  ## set up .venv from requirements.lock (the first time compiles mmcv's operators: 5 to 15 minutes)
	@$(PYTHON) bootstrap.py

smoke: install  ## run the whole chain on the embedded sample; results in runs/smoke/
	$(BIN)/sim2real smoke

test: install  ## run the tests (not those marked slow or gpu)
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: install  ## run the tests marked slow
	$(BIN)/python -m pytest -m slow

lint: install  ## check format, style, types and YAML
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/yamllint --strict .

format: install  ## format the code and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: install  ## make requirements.lock anew from pyproject.toml: pins with hashes, no index addresses
	$(BIN)/uv pip compile pyproject.toml --extra build --extra dev --extra onnx --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

pictures: smoke  ## draw the README's pictures from a smoke run (needs Chromium and chromedriver)
	PYTHONPATH=. $(BIN)/python docs/pictures.py

clean:  ## delete results and the store, but not the environment
	rm -rf runs .store .pytest_cache .mypy_cache .ruff_cache
