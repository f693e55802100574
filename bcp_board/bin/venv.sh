#!/bin/sh
# venv.sh PYTHON: make .venv with that Python, unless one is there that works and is of its version.
version='import sys; print("{}.{}".format(*sys.version_info[:2]))'
found=$("$1" -c "$version" 2>/dev/null)
case "$found" in
"" | 2.* | 3.? | 3.10)
    echo "This needs Python 3.11 or newer; $1 is ${found:-not there}. Install a newer one and name it, for" \
        "instance: make PYTHON=python3.13 run" >&2
    exit 1
    ;;
esac
[ "$(.venv/bin/python -c "import pip; $version" 2>/dev/null)" = "$found" ] && exit 0
if ! "$1" -c "import ensurepip" 2>/dev/null; then
    echo "Python cannot make a virtual environment yet. Install what it needs, then try again:" \
        "sudo apt install python3-venv" >&2
    exit 1
fi
exec sh bcp_board/bin/quietly.sh "Python could not make a virtual environment in .venv" \
    "$1" -m venv --clear .venv
