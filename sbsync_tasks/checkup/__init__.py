"""`invoke doctor`: tools, settings, secret files and databases, each looked at and none of them changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from ..console import Console, counted
from ..errors import SbsyncError
from .databases import local, pair, remote
from .files import config_toml, dotenv_files, project, secret_files, settings
from .subject import Check, Subject, attempt
from .tools import cli, docker, git, node, postgresql

__all__ = ["Check", "Subject", "examine"]

# What is looked at, in the order in which it is shown.
CHECKS: tuple[tuple[str, Callable[[Subject], list[Check]]], ...] = (
    ("project", project),
    ("settings", settings),
    ("dotenv", dotenv_files),
    ("secrets", secret_files),
    ("Supabase CLI", cli),
    ("Node", node),
    ("Docker", docker),
    ("git", git),
    ("remote", remote),
    ("local", local),
    ("databases", pair),
    ("config.toml", config_toml),
    ("PostgreSQL", postgresql),
)
# The checks that have nothing to look at where the settings cannot be resolved.
NEED_SETTINGS = (remote, local, pair)
NAME_WIDTH = max(len(name) for name, _ in CHECKS)


def examine(subject: Subject) -> bool:
    """Make every check and show each as it is made.

    With `--json` the document is `{"environment", "ok", "errors", "warnings", "checks"}`, each check
    `{"name", "level", "what", "fix"}`.

    Returns:
        Whether there is no error.
    """
    made = []
    for name, check in _checks(subject):
        made.append((name, check))
        _show(subject.console, name, check)
    errors, warnings = (sum(check.level == level for _, check in made) for level in ("error", "warning"))
    if errors or warnings:
        with subject.console.as_result():
            subject.console.say(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}.")
    subject.console.document(
        {
            "environment": subject.settings.env if subject.settings else None,
            "ok": not errors, "errors": errors, "warnings": warnings,
            "checks": [_data(name, check) for name, check in made],
        }
    )  # fmt: skip
    return not errors


def _checks(subject: Subject) -> Iterator[tuple[str, Check]]:
    """Every line; what fails inside one check becomes an error line and hides no other."""
    for name, look in CHECKS:
        if subject.settings is None and look in NEED_SETTINGS:
            continue
        found = attempt(lambda look=look: look(subject))  # type: ignore[misc]
        lines = [Check("error", found.message, found.hint)] if isinstance(found, SbsyncError) else found
        for line in lines:
            # Before any wrapping and JSON: both can take a secret apart, so that it would not be known again.
            redact = subject.console.redact
            yield name, Check(line.level, redact(line.what), redact(line.fix))


def _show(console: Console, name: str, check: Check) -> None:
    """One check, the fix below it."""
    indent = NAME_WIDTH + 4  # two of them are the mark's
    fix = f"\n{' ' * indent}→ {check.fix}" if check.fix else ""
    with console.as_result():
        console.say(f"{name:<{NAME_WIDTH}}  {check.what}{fix}", check.level, indent)


def _data(name: str, check: Check) -> dict[str, Any]:
    return {"name": name, **asdict(check)}
