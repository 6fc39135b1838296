"""Imports run downwards only, no part outgrows its budget, and loading the tasks loads only what they need."""

import ast
import json
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import sbsync_tasks

PACKAGE = Path(sbsync_tasks.__file__).parent
# The parts from the top down: each imports only from lower rows. Beside it stand the most lines that it may have: who
# needs more says so here, and who needs fewer lowers the number.
LAYERS = (
    {"__init__": 40},
    {"tasks": 760},
    {"demo": 130},
    {"checkup": 575},
    {"run": 4110},
    {"plan": 1340, "generate": 1340},
    {"databases": 4540, "backups": 1140},
    {"supabase_cli": 990, "checks": 3060, "git": 550},
    {"state": 870},
    {"settings": 1290},
    {"folders": 240},
    {"console": 305, "process": 325, "sqltext": 410, "endpoint": 165},
    {"redaction": 50, "platform": 29, "options": 40, "errors": 60},
)
MOST_LINES = 22270
MOST_MODULES = 90
RANK = {name: rank for rank, parts in enumerate(LAYERS) for name in parts}
# What only a running task may load.
LATE = ("rich", "psycopg", "postgast", "dotenv")


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def type_checking_only(tree):
    """The nodes below `if TYPE_CHECKING:`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for statement in node.body:
                yield from ast.walk(statement)


def imported(module, node):
    """The package's own modules that an import statement loads."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names]
    return {name for name in names if name in MODULES and name != module}


def imports(module, *, in_functions=True):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    hidden = set(type_checking_only(tree))
    nodes = ast.walk(tree) if in_functions else tree.body
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in hidden:
            found |= imported(module, node)
    return found


def test_every_part_has_its_layer():
    assert {layer_of(module) for module in MODULES} == set(RANK)


def test_no_part_has_more_lines_than_its_budget():
    lines = Counter()
    for module, path in MODULES.items():
        lines[layer_of(module)] += len(path.read_text(encoding="utf-8").splitlines())
    budget = {name: most for parts in LAYERS for name, most in parts.items()}
    assert {name: f"{lines[name]} of {most}" for name, most in budget.items() if lines[name] > most} == {}
    assert lines.total() <= MOST_LINES
    assert len(MODULES) <= MOST_MODULES


def test_imports_run_downwards_only():
    upwards = [
        f"{module} imports {other}"
        for module in MODULES
        for other in imports(module)
        if layer_of(other) != layer_of(module) and RANK[layer_of(other)] <= RANK[layer_of(module)]
    ]
    assert upwards == []


def test_there_are_no_circles():
    """Not even through an import inside a function; a package and its own modules count as one another's."""
    graph = {module: {o for o in imports(module) if not module.startswith(f"{o}.")} for module in MODULES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_the_check_sees_what_it_is_meant_to_see():
    assert "sbsync_tasks.errors" in imports("sbsync_tasks.tasks.session", in_functions=False)
    assert "sbsync_tasks.console" in imports("sbsync_tasks.tasks.session")
    assert "sbsync_tasks.console" not in imports("sbsync_tasks.tasks.session", in_functions=False)
    assert "sbsync_tasks.databases.catalog" in imports("sbsync_tasks.run.proof")
    assert "sbsync_tasks.databases.catalog" not in imports("sbsync_tasks.state")  # for types only


def test_loading_the_tasks_is_cheap():
    """`invoke --list` runs at every TAB."""
    script = "import json, sys, sbsync_tasks; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & set(LATE)
    ours = {name for name in loaded if name.startswith("sbsync_tasks")}
    assert "sbsync_tasks.tasks.guide" in ours
    assert {layer_of(name) for name in ours} == {"__init__", "tasks", "options", "errors"}
