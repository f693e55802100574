"""Whether the tests notice a change to the rules: a fixed sample of small changes, each tried by itself.

    python -m bcp_board.tests.mutants              (`make mutants`; not a part of `make test`)
    python -m bcp_board.tests.mutants --only visits/position.py --sample 40

Each change is put in place of the module as a process of its own loads it, so no file is touched. A change
that no test notices is printed as it would look in the source, for somebody to say why no reader would see
the difference, or to write the test that is missing.

First all tests are run once as they are, and it is noted which of them run which line. A change is then shown
to the tests that run its statement, since no other can notice it, and to all where none is known to: what a
module says outside its functions is run as it is loaded, before any test. That can only count too few.
"""

import argparse
import ast
import difflib
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = 300
SEED = 20221122
LEAST = 0.95
LEAST_IN_A_MODULE = 0.90
# A change that makes a test run on and on counts as noticed once the processor has taken so many seconds more
# than the tests took when they were watched, which makes them slower: a busy machine notices nothing.
PATIENCE = 120
RULES = [
    "record/statements.py",
    "record/rows.py",
    "record/edits.py",
    "record/versions.py",
    "record/verification.py",
    "record/as_at.py",
    "visits/position.py",
    "visits/timeline.py",
    "recommendations/action_position.py",
    "recommendations/board.py",
    "recommendations/completions.py",
    "recommendations/views_differ.py",
    "recommendations/due_dates.py",
    "recommendations/lateness.py",
    "recommendations/models.py",
    "recommendations/ownership.py",
    "recommendations/position.py",
    "recommendations/received.py",
    "recommendations/history.py",
    "recommendations/forms.py",
    "recommendations/date_forms.py",
    "meetings/changes.py",
    "meetings/corrections.py",
    "meetings/decided.py",
    "meetings/decisions.py",
    "meetings/glance.py",
    "record/held.py",
    "meetings/papers.py",
    "meetings/publishing.py",
    "meetings/round.py",
]
TESTS = [
    "record",
    "visits",
    "recommendations",
    "meetings",
    *(
        f"bcp_board/tests/test_{name}.py"
        for name in (
            "golden_board",
            "edited_rows",
            "erasure",
            "forgeries",
            "ledger",
            "journeys",
            "kept_pages",
            "known_then",
            "published_papers",
            "record_admin",
            "round_page",
            "seeds",
            "site",
        )
    ),
]
COMPARISONS = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
LOOKUPS = {"lt": "lte", "lte": "lt", "gt": "gte", "gte": "gt"}
OPPOSITES = {"any": "all", "all": "any", "min": "max", "max": "min", "filter": "exclude", "exclude": "filter"}


@dataclass(frozen=True)
class Mutant:
    """One small change: ``start`` and ``end`` are places in the text of ``path``, a file below ROOT.

    ``lines`` are those of the statement it stands in.
    """

    path: str
    start: int
    end: int
    text: str
    lines: range

    def source(self):
        before = (ROOT / self.path).read_text(encoding="utf-8")
        return before[: self.start] + self.text + before[self.end :]

    def difference(self):
        before = (ROOT / self.path).read_text(encoding="utf-8").splitlines(keepends=True)
        return "".join(difflib.unified_diff(before, self.source().splitlines(keepends=True), self.path, n=1))


def mutants_of(path):
    """Every Mutant of the module ``path``, in the order of its text."""
    text = (ROOT / path).read_text(encoding="utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = text.splitlines(keepends=True)

    def place(line, column):
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def span(node):
        return place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)

    found = []
    tree = ast.parse(text)
    around = {}
    # An inner statement is walked to after those around it.
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            first = min(part.lineno for part in (node, *getattr(node, "decorator_list", ())))
            around |= dict.fromkeys(lines_of := range(first, node.end_lineno + 1), lines_of)

    def change(start, end, new):
        found.append(Mutant(path, start, end, new, around[text.count("\n", 0, start) + 1]))

    # What a column may hold stands in the database, whatever its class says afterwards; so does a constraint,
    # and that the two say the same is asked by `makemigrations --check`. Nobody sees what is frozen, nor an
    # annotation; and one that cannot be worked out would count as noticed.
    called = {node: ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    left_alone = {
        part
        for node, name in called.items()
        if name.startswith("models.") or name == "dataclass"
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) or name.endswith("Constraint")
    }
    for node in ast.walk(tree):
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            left_alone.update(ast.walk(annotation) if annotation else ())
    for node in ast.walk(tree):
        if node in left_alone:
            continue
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            start, end = span(node.left)[1], span(node.comparators[0])[0]
            between = text[start:end]
            before = between[: len(between) - len(between.lstrip(" )\n"))]
            after = between[len(between.rstrip(" (\n")) :]
            change(start, end, f"{before}{COMPARISONS[type(node.ops[0])]}{after}")
        elif isinstance(node, ast.BoolOp):
            for one, other in zip(node.values, node.values[1:], strict=False):
                start, end = span(one)[1], span(other)[0]
                word, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
                change(start, end, text[start:end].replace(word, new, 1))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
            start = span(node)[0]
            change(start, start + len("not " if isinstance(node.op, ast.Not) else "~"), "")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Add | ast.Sub):
            start, end = span(node.left)[1], span(node.right)[0]
            swap = {"&": "|", "|": "&", "+": "-", "-": "+"}
            sign = next(sign for sign in swap if sign in text[start:end])
            change(start, end, text[start:end].replace(sign, swap[sign], 1))
        elif isinstance(node, ast.If | ast.IfExp):
            start, end = span(node.test)
            change(start, end, f"(not ({text[start:end]}))")
        elif isinstance(node, ast.Constant) and type(node.value) is bool:
            change(*span(node), str(not node.value))
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            change(*span(node), str(node.value + 1))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value[:1] == "-":
            change(*span(node), repr(node.value[1:]))
        elif isinstance(node, ast.keyword) and node.arg:
            name, _, lookup = node.arg.rpartition("__")
            start = span(node)[0]
            if lookup in LOOKUPS:
                change(start, start + len(node.arg), f"{name}__{LOOKUPS[lookup]}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = getattr(node.func, "id", None) or node.func.attr
            if name in OPPOSITES:
                end = span(node.func)[1]
                change(end - len(name), end, OPPOSITES[name])
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end, mutant.text))


def sample(paths, size):
    """Those of ``size`` changes to all the RULES that are to ``paths``: always the same, some of each."""
    of_each = {path: mutants_of(path) for path in RULES}
    total, chosen = sum(map(len, of_each.values())), []
    for path in paths:
        wanted = max(3, round(size * len(of_each[path]) / total))
        chosen += random.Random(f"{SEED} {path}").sample(of_each[path], min(wanted, len(of_each[path])))
    return chosen


class Instead(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Loads one module from another text than its file holds."""

    def __init__(self, name, path, text):
        self.name, self.path, self.text = name, path, text

    def find_spec(self, name, path=None, target=None):
        return (
            importlib.util.spec_from_file_location(name, self.path, loader=self)
            if name == self.name
            else None
        )

    def get_filename(self, name):
        return self.path

    def get_data(self, path):
        return self.text.encode()

    def path_stats(self, path):
        raise OSError("never from a cache")


class Order:
    """The tests named in ``wanted``, in that order as far as pytest-django's own sorting leaves it."""

    def __init__(self, wanted):
        self.place = {name: place for place, name in enumerate(wanted)}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = sorted(
            (item for item in items if item.nodeid in self.place), key=lambda item: self.place[item.nodeid]
        )
        return (yield)


class Watch:
    """Notes of each test how long it takes and which lines of the rules it runs."""

    def __init__(self, coverage):
        self.coverage, self.seconds = coverage, {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        from record.prepared import _prepared, _put_into_sql

        # What one test had put into SQL the others ask without running the lines that put it.
        _prepared.cache_clear()
        _put_into_sql.cache_clear()
        began = time.monotonic()
        self.coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self.coverage.switch_context("")
            self.seconds[item.nodeid] = time.monotonic() - began


def run_tests(tests, plugin):
    """What pytest says of ``tests``, run in this process until the first fails."""
    # The same histories each time, and none that another change left behind: it would fail every change.
    options = ["--hypothesis-profile=ci", "-x", "-q", "--no-header", "--tb=short", "--reuse-db"]
    options += ["-p", "no:cacheprovider", "-m", "not browser"]
    return pytest.main([*options, *tests], plugins=[plugin])


def run_with(path, text_file, tests_file, seconds):
    """Run the tests that ``tests_file`` lists with the module ``path`` as the file ``text_file`` has it.

    They are stopped once they have taken so many ``seconds`` of the processor.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
    name = path.removesuffix(".py").replace("/", ".")
    text = Path(text_file).read_text(encoding="utf-8")
    sys.meta_path.insert(0, Instead(name, str(ROOT / path), text))
    tests = json.loads(Path(tests_file).read_text(encoding="utf-8"))
    return run_tests(list(dict.fromkeys(name.partition("::")[0] for name in tests)), Order(tests))


def watch(report, *tests):
    """Run ``tests`` as they are, and write to ``report`` each one's seconds and who runs each line."""
    from coverage import Coverage

    coverage = Coverage(data_file=None, include=[str(ROOT / path) for path in RULES], config_file=False)
    coverage.start()
    status = run_tests(tests, plugin := Watch(coverage))
    coverage.stop()
    data = coverage.get_data()
    runs = {path: data.contexts_by_lineno(str(ROOT / path)) for path in RULES}
    Path(report).write_text(json.dumps({"seconds": plugin.seconds, "runs": runs}), encoding="utf-8")
    return status


def in_a_process(mode, own, database, *arguments):
    """How a process of its own ends that has a copy of ``database``, by the name ``own``."""
    shutil.copy(database, own)
    program = [sys.executable, "-m", "bcp_board.tests.mutants", mode, *map(str, arguments)]
    env = os.environ | {"TEST_DATABASE_FILE": str(own), "DATABASE_URL": "sqlite://:memory:"}
    try:
        return subprocess.run(program, cwd=ROOT, env=env, capture_output=True, text=True)
    finally:
        own.unlink(missing_ok=True)


def watched(folder, database, shares):
    """What ``watch`` writes of all TESTS, which so many processes run at a time, a share each."""
    files = sorted(str(file.relative_to(ROOT)) for name in TESTS for file in test_files(ROOT / name))
    random.Random(SEED).shuffle(files)

    def share(number):
        report = folder / f"seen-{number}"
        own, mine = folder / f"watched-{number}.sqlite3", files[number::shares]
        done = in_a_process("--watch", own, database, report, *mine)
        if done.returncode:
            sys.exit(f"{done.stdout}\nThe tests fail without any change, so they can notice none.")
        return json.loads(report.read_text(encoding="utf-8"))

    seconds, runs = {}, {path: defaultdict(list) for path in RULES}
    with ThreadPoolExecutor(shares) as pool:
        for seen in pool.map(share, range(shares)):
            seconds |= seen["seconds"]
            for path, lines in seen["runs"].items():
                for line, names in lines.items():
                    runs[path][line] += names
    return {"seconds": seconds, "runs": runs}


def test_files(path):
    return path.rglob("test_*.py") if path.is_dir() else [path]


def tests_for(mutant, seen):
    """The tests that run the statement of ``mutant``, or all where none does; the quickest file first."""
    lines = seen["runs"].get(mutant.path, {})
    near = {name for line in mutant.lines for name in lines.get(str(line), ())} & seen["seconds"].keys()
    names, of_file = near or seen["seconds"].keys(), Counter()
    for name in names:
        of_file[name.partition("::")[0]] += seen["seconds"][name]
    return sorted(names, key=lambda name: (of_file[name.partition("::")[0]], name.partition("::")[0]))


def is_noticed(mutant, folder, database, seen):
    """Whether a test fails, or runs on and on, once ``mutant`` is in place."""
    stem = f"{mutant.path.replace('/', '-')}-{mutant.start}-{hash(mutant)}"
    text_file, tests_file, own = (folder / f"{stem}{end}" for end in (".py", ".json", ".sqlite3"))
    text_file.write_text(mutant.source(), encoding="utf-8")
    tests = tests_for(mutant, seen)
    tests_file.write_text(json.dumps(tests), encoding="utf-8")
    seconds = PATIENCE + round(sum(seen["seconds"][name] for name in tests))
    done = in_a_process("--run", own, database, mutant.path, text_file, tests_file, seconds)
    if done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise RuntimeError(f"none of the tests named was run:\n{done.stdout}")
    return bool(done.returncode)


def make_database(folder):
    """A file of SQLite with the site's tables, which each process begins with a copy of."""
    file = folder / "made.sqlite3"
    settings = {"DATABASE_URL": f"sqlite:///{file}", "DJANGO_SETTINGS_MODULE": "bcp_board.tests.settings"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=True)
    return file


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=RULES, choices=RULES, help="the modules to change")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many changes to try")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    asked = parser.parse_args(arguments)
    chosen, began = sample(asked.only, asked.sample), time.monotonic()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(asked.workers) as pool:
        folder = Path(name)
        database = make_database(folder)
        seen = watched(folder, database, asked.workers)
        print(f"{len(seen['seconds'])} tests were watched in {time.monotonic() - began:.0f} s", flush=True)
        of_each, results = defaultdict(list), []
        answers = pool.map(lambda mutant: is_noticed(mutant, folder, database, seen), chosen)
        for mutant, noticed in zip(chosen, answers, strict=True):
            of_each[mutant.path].append(noticed)
            results.append(noticed)
            if not noticed:
                print(f"\nNo test notices:\n{mutant.difference()}", flush=True)
    failed = sum(results) < LEAST * len(results)
    print(f"\n{sum(results)} of {len(results)} changes were noticed, in {time.monotonic() - began:.0f} s")
    for path, noticed in of_each.items():
        print(f"  {path:<35} {sum(noticed):>3} of {len(noticed)}")
        failed |= sum(noticed) < LEAST_IN_A_MODULE * len(noticed)
    return int(failed)


if __name__ == "__main__":
    if sys.argv[1:2] in (["--run"], ["--watch"]):
        sys.exit({"--run": run_with, "--watch": watch}[sys.argv[1]](*sys.argv[2:]))
    sys.exit(main(sys.argv[1:]))
