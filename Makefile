# `make run` shows the site, `make demo` shows it with invented progress, `make test` proves it.

PYTHON ?= python3

.PHONY: run demo accounts test bench torture lint screenshots pins

# The board's record at http://127.0.0.1:8000/ (PORT=8010 for another port)
run:
	@$(PYTHON) bcp_board/bin/run.py run

# The same with invented progress, in a database of its own, at http://127.0.0.1:8001/
demo:
	@$(PYTHON) bcp_board/bin/run.py demo

# A new password for the local accounts
accounts:
	@$(PYTHON) bcp_board/bin/run.py accounts

# Every test, on SQLite, on PostgreSQL and in Chromium
test:
	@$(PYTHON) bcp_board/bin/prepare.py requirements-dev.txt
	@.venv/bin/python -m bcp_board.tests.run_suite

# Whether pages stay quick as histories grow, and what sign-ins and long forms cost; about 12 minutes
bench:
	@$(PYTHON) bcp_board/bin/prepare.py requirements-dev.txt
	@.venv/bin/python -m bcp_board.tests.bench

# Whether an acknowledged update survives kill -9, one save in each race is taken and a crowd is served; about
# 15 minutes (ROUNDS=200 for more kills, MINUTES=5 for a longer crowd)
torture:
	@$(PYTHON) bcp_board/bin/prepare.py requirements-dev.txt
	@.venv/bin/python -m bcp_board.tests.torture --rounds $(or $(ROUNDS),6) --minutes $(or $(MINUTES),1)
	@.venv/bin/python -m bcp_board.tests.races

# Form and known mistakes; changes nothing
lint:
	@$(PYTHON) bcp_board/bin/prepare.py requirements-dev.txt
	@sh bcp_board/bin/lint.sh

# docs/*.png, from a demonstration in a database of its own
screenshots:
	@$(PYTHON) bcp_board/bin/prepare.py requirements-dev.txt
	@.venv/bin/python bcp_board/bin/screenshots.py

# The newest versions that requirements*.in allow (needs uv)
pins:
	@$(PYTHON) bcp_board/bin/pins.py --upgrade
