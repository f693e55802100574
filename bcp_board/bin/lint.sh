#!/bin/sh
# Form and known mistakes, without changing a file. Every check runs, so that one go finds them all.
status=0
bin=.venv/bin

ours() {
    find . \( -path './.?*' -o -path ./node_modules -o -path ./var \) -prune -o -name "$1" -print0
}

$bin/ruff check . || status=1
$bin/ruff format --check . || status=1
ours '*.html' | xargs -0 -r $bin/djade --check --target-version 5.2 || status=1
ours '*.html' | xargs -0 -r $bin/djhtml --check --tabwidth 2 || status=1
ours '*.py' | xargs -0 -r $bin/django-upgrade --check --target-version 5.2 || status=1
ours '*.py' | xargs -0 -r $bin/bandit --quiet --ignore-nosec --severity-level high || status=1
$bin/python bcp_board/bin/leaks.py || status=1
exit $status
