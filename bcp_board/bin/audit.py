"""Ask the Python advisory service whether a pinned package has a published vulnerability.

pip-audit ends with the same status whether it found a vulnerability or got no answer, and without
--strict it passes having audited nothing. This tells them apart: a vulnerability fails, a package
left out fails, and no answer at all is said out loud.
"""

import json
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

AUDIT = [
    "-m",
    "pip_audit",
    "--disable-pip",
    "--require-hashes",
    "--format",
    "json",
    "--progress-spinner",
    "off",
]
NO_ANSWER = "requests.exceptions.", "ConnectionError", "ServiceError"
UNREACHED = "pip-audit could not reach the advisory service. NOTHING WAS AUDITED: {}: {}"


def pinned(requirements):
    """The names of the packages pinned in a file that are for this Python and this machine."""
    lines = [line for line in Path(requirements).read_text().splitlines() if line[:1].isalnum()]
    found = [Requirement(line.removesuffix("\\")) for line in lines]
    return {canonicalize_name(one.name) for one in found if one.marker is None or one.marker.evaluate()}


def audit(requirements):
    """Print what was found in one file of pins; return whether that should stop a release."""
    done = subprocess.run([sys.executable, *AUDIT, "-r", requirements], capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        last_line = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        if not any(sign in done.stderr for sign in NO_ANSWER):
            print(done.stderr, f"{requirements}: pip-audit itself failed", sep="\n")
            return True
        print(UNREACHED.format(requirements, last_line))
        return False
    unaudited = [package for package in packages if "skip_reason" in package]
    if packages and len(unaudited) == len(packages):
        print(UNREACHED.format(requirements, unaudited[0]["skip_reason"]))
        return False
    for package in unaudited:
        print(f"{requirements}: not audited: {package['skip_reason']}")
    absent = sorted(pinned(requirements) - {canonicalize_name(package["name"]) for package in packages})
    if absent:
        print(f"{requirements}: not in the answer: {', '.join(absent)}")
    vulnerable = [package for package in packages if package.get("vulns")]
    for package in vulnerable:
        for found in package["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "no version yet"
            name = f"{package['name']} {package['version']}"
            print(f"{requirements}: {name}: {found['id']}, fixed in {fixed}")
    audited = len(packages) - len(unaudited)
    print(f"{requirements}: {audited} packages audited, {len(vulnerable)} vulnerable")
    return bool(vulnerable or unaudited or absent)


if __name__ == "__main__":
    stop = [audit(requirements) for requirements in sys.argv[1:]]  # all of them, then decide
    sys.exit(any(stop))
