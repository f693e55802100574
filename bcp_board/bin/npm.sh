#!/bin/sh
# npm.sh ARGUMENTS...: the machine's npm if it can read our lock file, else one that PyPI has, in .venv.
PATH=.venv/bin:$PATH
version=$(npm --version 2>/dev/null)
if [ "${version%%.*}" -lt 10 ] 2>/dev/null || [ -z "$version" ]; then
    echo "Installing Node.js into .venv (first time only, about a minute)"
    sh bcp_board/bin/quietly.sh "Install Node.js 20 or newer with its npm, then try again." \
        .venv/bin/python -m pip --disable-pip-version-check --no-input install --require-hashes \
        -r requirements-node.txt || exit 1
fi
exec sh bcp_board/bin/quietly.sh "The stylesheet could not be built; the lines above say why." npm "$@"
