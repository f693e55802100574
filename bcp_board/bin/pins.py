"""Pin every package, with hashes, and say beside each one we chose what it is for.

The reasons are written once, as the comment above each line of requirements*.in. `uv` finds the
versions and hashes; this script puts the reasons above the lines it wrote, so that whoever reads
the pins sees them too.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def name_of(line):
    """The package a line asks for, in one spelling; None for a comment or an option."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
    return found and re.sub(r"[-_.]+", "-", found[0]).lower()


def reasons(source):
    """Package name -> the comment lines directly above it."""
    found, comment = {}, []
    for line in source.read_text().splitlines():
        if line.startswith("#"):
            comment.append(line)
            continue
        if name := name_of(line):
            found[name] = comment
        comment = []
    return found


def compile_pins(source, target, uv_options):
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += [
        "--generate-hashes",
        "--no-annotate",
        "--no-header",
        "--no-emit-index-url",
        "--no-emit-find-links",
    ]
    command += [*uv_options, "--output-file", target, source]
    subprocess.run(command, cwd=ROOT, check=True)


def main(uv_options):
    why = {}
    for stem in "requirements", "requirements-dev", "requirements-node":
        source, target = ROOT / f"{stem}.in", ROOT / f"{stem}.txt"
        compile_pins(source.name, target.name, uv_options)
        why |= reasons(source)
        lines = [
            f"# Written by `make pins` from {source.name}.",
            "# A package without a reason above it is needed by one that has a reason.",
        ]
        for line in target.read_text().splitlines():
            if not line.startswith("#"):
                lines += why.get(name_of(line) or "", [])
                lines.append(line)
        target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
