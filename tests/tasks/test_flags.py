"""Every task's face: its help, its flags, and that the flags reach the work."""

import inspect

import pytest
from invoke.context import Context, MockContext
from invoke.program import Program

import sbsync_tasks
from sbsync_tasks import ns
from sbsync_tasks.errors import RefusedError

TASKS = {name: ns[name] for name in ns.task_names}
# Read once: Invoke takes a task's help texts away while it makes its arguments.
HELP = {name: set(task.help) for name, task in TASKS.items()}
ARGUMENTS = {name: task.get_arguments() for name, task in TASKS.items()}
# Where `--yes` only installs what is missing.
READING = ("backup", "diff", "new", "psql", "sandbox.up", "sandbox.url", "status", "url", "verify")
ASKING = sorted(
    name for name, task in TASKS.items() if "yes" in inspect.signature(task.body).parameters and name not in READING
)
GUIDE = ("diff", "review", "reset", "push", "pull", "commit", "verify", "backup", "status")
SCENARIOS = ("local-to-remote", "remote-to-local")
SANDBOX = tuple(f"sandbox.{name}" for name in ("up", "down", "reset", "status", "url"))


def parameters(name):
    return [p for p in inspect.signature(TASKS[name].body).parameters.values() if p.name != "context"]


def test_the_tasks_that_are_promised():
    assert {*GUIDE, *SCENARIOS, *SANDBOX} <= set(TASKS)
    assert {"local-to-remote", "remote-to-local", "reset", "push", "pull", "commit", "sandbox.reset"} <= set(ASKING)


def test_the_public_face():
    assert all(hasattr(sbsync_tasks, name) for name in sbsync_tasks.__all__)
    assert {name.replace("-", "_") for name in (*GUIDE, *SCENARIOS)} <= set(sbsync_tasks.__all__)


@pytest.mark.parametrize("name", TASKS)
def test_the_first_line_says_what_a_task_does(name):
    doc = inspect.getdoc(TASKS[name].body)
    first, *rest = doc.splitlines()
    assert 0 < len(first) <= 60
    assert first.endswith(".")
    assert not rest or rest[0] == ""


@pytest.mark.parametrize("name", TASKS)
def test_every_parameter_has_its_help_and_no_help_is_left_over(name):
    arguments = ARGUMENTS[name]
    assert all(argument.help for argument in arguments), [a.name for a in arguments if not a.help]
    assert len(arguments) == len(parameters(name))
    assert HELP[name] == {p.name.replace("_", "-") for p in parameters(name)}


@pytest.mark.parametrize("name", TASKS)
def test_parameters_are_named_and_optional(name):
    for parameter in parameters(name):
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is not inspect.Parameter.empty


# Which tasks do without a common flag; docs/tasks.md says why.
WITHOUT = {
    "env": ("demo", *SANDBOX),
    "env_file": ("demo", *SANDBOX),
    "json": ("demo", "psql"),
    "yes": ("demo", "doctor", "sandbox.down", "sandbox.status"),
    "dry_run": (
        "backup", "demo", "doctor", "psql", "sandbox.down", "sandbox.status", "sandbox.up", "sandbox.url", "status",
        "url", "verify",
    ),
    "start": ("commit", "demo", "doctor", "push", "review", *SANDBOX),
}  # fmt: skip


@pytest.mark.parametrize("flag", WITHOUT)
def test_a_common_flag_exists_wherever_it_makes_sense(flag):
    lacking = {name for name in TASKS if flag not in {p.name for p in parameters(name)}}
    assert lacking == set(WITHOUT[flag])


@pytest.mark.parametrize("name", TASKS)
def test_no_flag_has_a_short_form(name):
    """`-y` or `-d` would be one slip away from another task's meaning."""
    for argument in ARGUMENTS[name]:
        assert all(len(flag) > 1 for flag in argument.names)


@pytest.mark.parametrize("name", ASKING)
def test_what_asks_can_be_looked_at_first(name):
    names = {p.name for p in parameters(name)}
    assert {"yes", "dry_run", "json"} <= names
    assert not [a.name for a in ARGUMENTS[name] if a.positional]


@pytest.mark.parametrize("name", TASKS)
def test_the_help_of_what_is_on_says_what_the_flag_switches_off(invoke, name):
    for argument in ARGUMENTS[name]:
        if argument.kind is bool and argument.default:
            assert f"; --no-{argument.name.replace('_', '-')} " in argument.help


@pytest.mark.parametrize("name", READING)
def test_what_reads_can_install_what_is_missing(name):
    assert "yes" in {p.name for p in parameters(name)}


@pytest.mark.parametrize("name", TASKS)
def test_nothing_runs_before_or_after(name):
    assert (TASKS[name].pre, TASKS[name].post) == ([], [])


def test_the_list(invoke):
    done = invoke("--list")
    assert (done.code, done.stderr) == (0, "")
    assert {line.split()[0] for line in done.stdout.splitlines()[2:] if line.strip()} == set(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_the_help(invoke, name):
    done = invoke("--help", name)
    assert (done.code, done.stderr) == (0, "")
    for argument in ARGUMENTS[name]:
        flag = argument.name.replace("_", "-")
        assert f"--{flag}" in done.stdout or f"--[no-]{flag}" in done.stdout


@pytest.mark.parametrize("arguments", [("no-such-task",), ("push", "--force"), ("reset", "-y")])
def test_what_there_is_not(invoke, project, arguments):
    done = invoke(*arguments)
    assert done.code == 1
    assert "Traceback" not in done.stderr


# --- from the command line to the work ---


@pytest.fixture
def asked(mocker):
    """What the scenarios and steps are handed: the run of each call. They go no further."""
    runs = []

    def look(run, *_rest, **_more):
        runs.append(run)
        raise RefusedError("Seen.")

    for name in ("local_to_remote", "push", "remote_to_local", "pull"):
        mocker.patch(f"sbsync_tasks.run.scenarios.{name}", side_effect=look)
    return runs


def test_the_flags_of_a_scenario_reach_it(invoke, project, asked):
    done = invoke(
        "local-to-remote", "--env", "sandbox", "--name", "add teams", "--yes", "--no-reset", "--commit",
        "--allow-data-loss", "public.a", "--allow-data-loss", "public.b", "--ignore-drift", "--dry-run",
    )  # fmt: skip
    assert (done.code, done.stderr) == (4, "error: Seen.\n")
    (run,) = asked
    options = run.options
    assert (options.name, options.allow_data_loss) == ("add_teams", ("public.a", "public.b"))
    assert (options.yes, options.dry_run, options.reset) == (True, True, False)
    assert (options.commit, options.ignore_drift) == (True, True)
    assert (run.console.yes, run.console.json_output) == (True, False)
    assert (run.settings.env, run.settings.env_spelled_out, run.settings.root) == ("sandbox", True, project)


def test_the_other_scenario_commits_and_records_unless_told_not_to(invoke, project, asked):
    invoke("remote-to-local", "--env", "sandbox")
    invoke("remote-to-local", "--env", "sandbox", "--no-commit", "--no-record", "--no-reset", "--keep-local", "--json")
    plain, full = (run.options for run in asked)
    assert (plain.commit, plain.record, plain.reset, plain.keep_local) == (True, True, True, False)
    assert (full.commit, full.record, full.reset, full.keep_local) == (False, False, False, True)
    assert (plain.yes, plain.dry_run, plain.discard_local) == (False, False, False)
    assert asked[1].console.json_output


@pytest.mark.parametrize("name", ["local-to-remote", "remote-to-local", "push", "pull"])
def test_invokes_own_dry_is_a_dry_run(invoke, project, asked, name):
    invoke("--dry", name, "--env", "sandbox", "--yes")
    assert asked[0].options.dry_run


@pytest.mark.parametrize("name", ["up", "down", "reset"])
def test_a_dry_run_in_the_sandbox_prints_one_document(invoke, project, name):
    done = invoke("--dry", f"sandbox.{name}", "--json")
    assert done.code == 0
    assert [action["action"] for action in done.data["plan"]] == ["sandbox"]
    assert f"A run would {done.data['plan'][0]['does']}." in done.stderr
    assert not (project / ".sbsync").exists()


@pytest.mark.parametrize("name", ["local-to-remote", "remote-to-local", "push", "pull"])
def test_env_files_may_be_given_again_and_again(invoke, project, asked, name):
    (project / "a.env").write_text("SBSYNC_BACKUP=full\n")
    (project / "b.env").write_text("SUPABASE_DB_URL=postgresql://u@127.0.0.1:1/d\n")
    invoke(name, "--env-file", "a.env", "--env-file", "b.env")
    settings = asked[0].settings
    assert (settings.backup, settings.remote.endpoint.url) == ("full", "postgresql://u@127.0.0.1:1/d")


def test_a_task_called_from_python(project, asked):
    from invoke.exceptions import Exit

    context = MockContext()
    with pytest.raises(Exit) as caught:
        sbsync_tasks.local_to_remote(context, env="sandbox", allow_data_loss=["public.a"], dry_run=True)
    assert caught.value.code == 4
    assert asked[0].options.allow_data_loss == ("public.a",)
    with pytest.raises(TypeError):
        sbsync_tasks.local_to_remote(Context(), "sandbox")


def test_several_tasks_in_one_call(invoke, project, asked, mocker):
    status = mocker.patch("sbsync_tasks.run.look.status", return_value=False)
    done = invoke("status", "--env", "sandbox", "push", "--env", "sandbox")
    assert (status.call_count, len(asked), done.code) == (1, 1, 4)


def test_a_program_of_ones_own_has_the_same_tasks(invoke):
    done = invoke("--list", program=Program(name="Sync", namespace=ns, version=sbsync_tasks.__version__))
    assert "local-to-remote" in done.stdout
    shown = invoke("--version", program=Program(name="Sync", namespace=ns, version=sbsync_tasks.__version__))
    assert shown.stdout == f"Sync {sbsync_tasks.__version__}\n"
