"""A real repository, looked at and worked in without git.py."""

import stat
import subprocess
from pathlib import Path

VERSION = "20260301120000"
FILE = f"supabase/migrations/{VERSION}_invoices.sql"


def run(where, *args, check=True):
    """A git call of the test's own; its output without the line end."""
    done = subprocess.run(["git", "-C", str(where), *args], capture_output=True, text=True, check=check)
    return done.stdout.rstrip("\n")


def write(root, name, text="select 1;\n"):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def hook(root, name, script, folder=".git/hooks"):
    path = write(root, f"{folder}/{name}", f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def state(root):
    """Everything of a repository that a failed commit must leave alone."""
    top = Path(run(root, "rev-parse", "--show-toplevel"))
    files = {p: p.read_bytes() for p in top.rglob("*") if p.is_file() and ".git" not in p.parts}
    head = run(root, "rev-parse", "--verify", "-q", "HEAD", check=False)
    return (
        head,
        run(root, "ls-files", "--stage"),
        run(root, "status", "--porcelain", "-uall"),
        files,
    )
