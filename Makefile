# `make run` shows the site, `make demo` shows it with invented progress, `make test` proves it.

# The system's own Python, on which the site runs in service, where it can make a virtual environment
FIT := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell /usr/bin/python3 -c "$(FIT)" 2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV := .venv
CSS := bcp_board/static/bcp_board/board.css
MODULES := node_modules/.package-lock.json
PINS := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-emit-index-url --no-emit-find-links

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: run demo accounts build build-for-tests test bench torture mutants lint screenshots pins

# The board's record at http://127.0.0.1:8000/ (PORT=8010 for another port)
run: build
	@$(VENV)/bin/python bcp_board/bin/run.py run

# The same with invented progress, in a database of its own, at http://127.0.0.1:8001/
demo: build
	@$(VENV)/bin/python bcp_board/bin/run.py demo

# A new password for the local accounts
accounts: build
	@$(VENV)/bin/python bcp_board/bin/run.py accounts

# What the site needs to run, which the checkout does not hold: its packages and the stylesheet
build: PACKAGES := requirements
build-for-tests: PACKAGES := requirements-dev
# Two at once must not install over each other: the second waits. .venv comes first and apart, since Make
# looks once at what is there, and what was in a .venv made anew is gone.
build build-for-tests:
	@mkdir -p -m 700 var && chmod 700 var
	@flock var/make.lock sh -c 'sh bcp_board/bin/venv.sh "$(PYTHON)" && \
		$(MAKE) --silent $(VENV)/$(PACKAGES).done $(CSS)'

$(VENV)/%.done: %.txt
	@echo "Installing Python packages (first time and after a change, about a minute)"
	@sh bcp_board/bin/quietly.sh "The Python packages could not be installed; the lines above say why." \
		$(VENV)/bin/python -m pip --disable-pip-version-check --no-input install --retries 2 \
		--require-hashes -r $<
	@touch $@

$(MODULES): package.json package-lock.json
	@echo "Installing what builds the stylesheet (first time and after a change)"
	@sh bcp_board/bin/npm.sh ci
	@touch $@

$(CSS): $(wildcard bcp_board/styles/*.scss) $(MODULES)
	@echo "Building the stylesheet (first time and after a change)"
	@sh bcp_board/bin/npm.sh run css

# The tests, on SQLite, on PostgreSQL and in Chromium; .ci/run adds what takes long and tells less
test: build-for-tests
	@$(VENV)/bin/python -m bcp_board.tests.run_suite

# Whether pages stay quick as histories grow, and what sign-ins, long forms and loading cost; half an hour
bench: build-for-tests
	@$(VENV)/bin/python -m bcp_board.tests.bench

# Whether an acknowledged update survives kill -9, one save in each race is taken, a crowd is served and readers
# are told when the database gives nothing; about 20 minutes (ROUNDS=200 for more kills, MINUTES=5 for the crowd)
torture: build-for-tests
	@$(VENV)/bin/python -m bcp_board.tests.torture --rounds $(or $(ROUNDS),6) --minutes $(or $(MINUTES),1)
	@$(VENV)/bin/python -m bcp_board.tests.races

# Whether the tests notice a small change to the rules: 300 of them, one at a time; about half an hour
mutants: build-for-tests
	@$(VENV)/bin/python -m bcp_board.tests.mutants

# Form and known mistakes; changes nothing
lint: build-for-tests
	@sh bcp_board/bin/lint.sh

# docs/*.png, from a demonstration in a database of its own
screenshots: build-for-tests
	@$(VENV)/bin/python bcp_board/bin/screenshots.py

# The newest versions that requirements*.in allow (needs uv); what each is for stands there
pins:
	@for name in requirements requirements-dev requirements-node; do \
		$(PINS) --output-file $$name.txt $$name.in && sed -i "/^#/d" $$name.txt && \
		sed -i "1i # Written by \`make pins\` from $$name.in, which says what each package is for." $$name.txt \
		|| exit 1; done
