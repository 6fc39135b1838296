"""A small real program in the Supabase CLI's place."""

import json
import sys

# Writes down all that it sees, then answers as it is told to.
PLAYED = """#!{python}
import json, os, pathlib, stat, sys
calls = pathlib.Path({folder!r}, "calls.jsonl")
project = sys.argv[sys.argv.index("--workdir") + 1] if "--workdir" in sys.argv else None
seen = {{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "in_cwd": os.listdir("."),
        "stdin": sys.stdin.read(), "files": {{}}}}
if project and "PGPASSFILE" in os.environ:
    place = pathlib.Path(os.environ["PGPASSFILE"]).parent
    seen["modes"] = [stat.S_IMODE(p.stat().st_mode) for p in (place, pathlib.Path(os.environ["PGPASSFILE"]))]
    seen["passfile"] = pathlib.Path(os.environ["PGPASSFILE"]).read_text()
    for folder, _, names in os.walk(project, followlinks=True):
        for name in names:
            path = pathlib.Path(folder, name)
            seen["files"][str(path.relative_to(project))] = path.read_text()
with calls.open("a") as file:
    file.write(json.dumps(seen) + "\\n")
answer = json.loads(pathlib.Path({folder!r}, "answer.json").read_text())
sys.stdout.write(answer["stdout"])
sys.stderr.write(answer["stderr"])
sys.exit(answer["code"])
"""


class Played:
    """A program in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "supabase"
        folder.mkdir(parents=True, exist_ok=True)
        self.path.write_text(PLAYED.format(python=sys.executable, folder=str(folder)))
        self.path.chmod(0o755)
        self.answers(json.dumps({"diff": "", "migrations": [], "seeds": []}))

    def answers(self, stdout, stderr="", code=0):
        (self.folder / "answer.json").write_text(json.dumps({"stdout": stdout, "stderr": stderr, "code": code}))

    @property
    def calls(self):
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def put(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
