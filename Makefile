# The two commands a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types imports pytest lock chaos benchmarks clean dovecot

$(VENV)/.installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[test]'
	touch $@

# Local servers, the sample mails, the service on them; Ctrl-C ends it.
demo: $(VENV)/.installed
	$(BIN)/mailrouter demo --dir demo-dir

# The whole check.
test: $(VENV)/.installed dovecot lint types imports pytest

lint: $(VENV)/.installed
	$(BIN)/ruff check .

types: $(VENV)/.installed
	$(BIN)/mypy

imports: $(VENV)/.installed
	$(BIN)/lint-imports

pytest: $(VENV)/.installed
	$(BIN)/python -m pytest -n auto --dist worksteal

# Debian's Dovecot for the scenario tests; without it they are skipped, loudly (in CI that is a failure).
dovecot:
	@sh tests/install_dovecot.sh

# Versions that the tests run with; written anew on purpose, not by the tests.
lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --extra test --extra benchmark pyproject.toml -o requirements.lock

# The service killed at every step and at many random moments; writes its table into docs/reliability.md. Takes an hour.
chaos: $(VENV)/.installed dovecot
	$(BIN)/python benchmarks/chaos.py --moments 200 --nodes 50 --write

# Figures, not tests: speed beside a naive loop and fdm (Debian package fdm, if it is there), latency, idle cost.
benchmarks: $(VENV)/.installed dovecot
	$(BIN)/python benchmarks/service.py
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/idle.py

clean:
	rm -rf $(VENV) demo-dir
