"""How long do loading, checking and starting take, and how much memory? A part of `make bench`.

What somebody waits for is what is limited; the processor's part stands beside it, since a machine that does
other work makes everybody wait. On PostgreSQL that is the command's own, without the server's.
"""

import subprocess
import sys
import time
from dataclasses import dataclass

from .serving import ROOT, Site

# The most seconds, and megabytes, that each may take.
SEED, CHECK, START = 3, 20, 2
DEMO, DEMO_MEMORY = 60, 500
# (actions of each recommendation, updates of each action): histories, or actions, as many as there may be.
LARGE = {"144,000 updates": (6, 2400), "600 actions": (60, 24)}
STARTS = 5
# The command runs in a process of its own, so that its memory is not that of the one before it.
MEASURED = """
import resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
waited, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
if done.returncode:
    sys.exit(done.stdout + done.stderr)
print(waited, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


@dataclass(frozen=True)
class Taken:
    """Seconds on the clock and of the processor, and the most megabytes at once."""

    waited: float
    processor: float
    memory: float


def command(site, *arguments):
    """What a management command over the database of ``site`` takes."""
    run = [sys.executable, "-c", MEASURED, sys.executable, ROOT / "manage.py", *arguments]
    done = subprocess.run(run, cwd=ROOT, env=site.env | {"DEBUG": "1"}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arguments[0]} failed:\n{done.stderr}")
    return Taken(*map(float, done.stdout.split()))


def started(site):
    """What it takes from the start of the server until it answers."""
    began = time.monotonic()
    with site:
        waited, processes = time.monotonic() - began, site.processes()
        processor = sum(sum(process.cpu_times()[:2]) for process in processes)
        return Taken(waited, processor, max(process.memory_info().rss for process in processes) / 2**20)


def show(what, taken, *, most, memory=None):
    over = f" more than {most} s" if taken.waited > most else ""
    over += f" more than {memory} MB" if memory and taken.memory > memory else ""
    print(
        f"{what:<34}{taken.waited:>7.1f} s{taken.processor:>7.1f} s{taken.memory:>7.0f} MB{over}", flush=True
    )


def bench_loading(name, new_url):
    """Print the table for one kind of database; ``new_url`` makes an empty one and gives its URL."""
    print(f"\n{f'{name}: loading':<34}{'clock':>9}{'processor':>10}{'memory':>9}")
    site = empty(new_url)
    show("seed", command(site, "seed"), most=SEED)
    for what, (actions, updates) in LARGE.items():
        site = empty(new_url)
        taken = command(site, "demo", "--actions", str(actions), "--updates", str(updates))
        show(f"demo, {what}", taken, most=DEMO, memory=DEMO_MEMORY)
        show(f"verify_history, {what}", command(site, "verify_history"), most=CHECK)
        site.manage("collectstatic", "--no-input", "--verbosity", "0")
        starts = sorted((started(site) for _ in range(STARTS)), key=lambda taken: taken.waited)
        show(f"start, {what}", starts[STARTS // 2], most=START)


def empty(new_url):
    """A Site over a new database that is migrated and holds nothing."""
    site = Site(new_url())
    site.manage("migrate", "--verbosity", "0")
    return site
