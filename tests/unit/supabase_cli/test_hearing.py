"""What is heard of the Supabase CLI while it runs: the file that it applies, and its warnings."""

import json
from dataclasses import replace

import pytest

from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.supabase_cli import RECORDED, Binary, CliError, LocalStackCli, SupabaseCli
from tests.unit.supabase_cli.calls import FIRST, SECOND, TARGET, V3


def test_the_file_that_is_applied_is_told_with_its_number(played, root):
    told = []
    cli = SupabaseCli(Binary(played.path, V3, "a test"), ConfigToml(root), at=lambda *at: told.append(at))
    applied = [f"Applying migration {m.file_name}...\n" for m in (FIRST, SECOND)]
    played.answers(json.dumps({"migrations": [], "seeds": []}), "".join(["Connecting\n", *applied]))
    cli.push(TARGET, (replace(FIRST, sql=RECORDED), SECOND))
    assert told == [(SECOND.file_name, 1, 1)]  # the other one was there
    cli.reset(TARGET, (FIRST, SECOND))
    LocalStackCli(cli.binary, ConfigToml(root), at=lambda *at: told.append(at)).reset((FIRST, SECOND))
    assert told[1:] == 2 * [(FIRST.file_name, 1, 2), (SECOND.file_name, 2, 2)]


def test_each_warning_of_the_cli_is_told_once(played, root):
    told = []
    cli = SupabaseCli(Binary(played.path, V3, "a test"), ConfigToml(root), told.append)
    stderr = (
        "Target: custom Postgres\nWARN: no files matched pattern: supabase/a.sql\n"
        "no files matched pattern: supabase/b.sql\nSeeding data from supabase/c.sql...\nWARNING (01000): odd\n"
    )
    played.answers('{"migrations":[],"seeds":[]}', stderr)
    cli.push(TARGET, (FIRST,), seed=True)
    cli.push(TARGET, (FIRST,), seed=True)
    assert told == [
        "The Supabase CLI warns: no files matched pattern: supabase/a.sql",
        "The Supabase CLI warns: no files matched pattern: supabase/b.sql",
        "The Supabase CLI warns: (01000): odd",
    ]
    played.answers('{"error":{"code":"X","message":"no"}}', "Warning: told of a failure, too\n", 1)
    with pytest.raises(CliError):
        cli.push(TARGET, ())
    assert told[-1] == "The Supabase CLI warns: told of a failure, too"
