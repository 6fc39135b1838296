"""Where a project's database is looked for."""

import socket

import pytest

from sbsync_tasks.databases import database as module
from sbsync_tasks.databases.database import by_ref, by_url, has_route, migrations_page, saved_pooler
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import ConfigError
from sbsync_tasks.settings import RemoteSpec

REF, OTHER = "abcdefghijklmnopqrst", "tsrqponmlkjihgfedcba"
SECRET = "tr0ub4dor&3"
POOLER = "aws-1-eu-central-1.pooler.supabase.com"


def spec(kind="project", password=SECRET):
    return RemoteSpec(kind, None, REF, password, ".env.staging:1")


def note(root, text):
    path = root / module.POOLER_URL
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def no_route(mocker):
    return mocker.patch.object(module, "has_route", return_value=False)


@pytest.fixture
def route(mocker):
    return mocker.patch.object(module, "has_route", return_value=True)


def test_a_project_listens_under_its_own_name_and_is_asked_for_encryption(tmp_path, route):
    found = by_ref(spec(), tmp_path)
    assert found.url == f"postgresql://postgres@db.{REF}.supabase.co:5432/postgres?sslmode=require"
    assert found.password == SECRET
    assert route.call_args.args[0].host == f"db.{REF}.supabase.co"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://postgres.{REF}@{POOLER}:5432/postgres",
        f"postgresql://postgres.{REF}:[YOUR-PASSWORD]@{POOLER}:6543/postgres\n",
        f"postgres://postgres.{REF}:[YOUR-PASSWORD]@{POOLER}:6543/postgres?sslmode=disable",
    ],
)
def test_without_a_route_the_linked_pooler_serves_in_session_mode(tmp_path, no_route, text):
    note(tmp_path, text)
    found = by_ref(spec(), tmp_path)
    assert found.url == f"postgresql://postgres.{REF}@{POOLER}:5432/postgres?sslmode=require"
    assert found.password == SECRET


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://postgres.{OTHER}@{POOLER}:5432/postgres",
        f"postgresql://postgres.{REF}@pooler.example.com:5432/postgres",
        "no url",
        "",
    ],
)
def test_anything_else_than_this_projects_pooler_gets_no_password(tmp_path, no_route, text):
    note(tmp_path, text)
    assert saved_pooler(tmp_path, REF) is None
    assert by_ref(spec(), tmp_path).host == f"db.{REF}.supabase.co"


def test_with_a_route_the_pooler_is_left_alone(tmp_path, route):
    note(tmp_path, f"postgresql://postgres.{REF}@{POOLER}:5432/postgres")
    assert by_ref(spec(), tmp_path).host == f"db.{REF}.supabase.co"


def test_a_route_is_known_without_sending_anything():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.1)
        assert has_route(Endpoint("127.0.0.1", listener.getsockname()[1], "d", "u"))
        with pytest.raises(TimeoutError):
            listener.accept()
    assert not has_route(Endpoint("ff02::1", 5432, "d", "u"))
    assert not has_route(Endpoint("nobody.invalid", 5432, "d", "u"))


@pytest.mark.parametrize(("kind", "where"), [("project", "beside SUPABASE_PROJECT_ID"), ("linked", "in .env.local")])
def test_without_a_password_it_is_said_what_that_means(tmp_path, route, kind, where):
    with pytest.raises(ConfigError) as caught:
        by_ref(spec(kind, ""), tmp_path)
    for word in (REF, ".env.staging:1", "backup", "comparison", "lock"):
        assert word in caught.value.message
    assert where in caught.value.hint
    route.assert_not_called()


@pytest.mark.parametrize(
    ("user", "host"), [(f"postgres.{REF}", POOLER), ("postgres", f"db.{REF}.supabase.co"), ("postgres.own", "10.0.0.1")]
)
def test_transaction_mode_is_refused(tmp_path, user, host):
    with pytest.raises(ConfigError, match="transaction mode") as caught:
        by_url(Endpoint(host, 6543, "postgres", user, SECRET), tmp_path, ".env:3")
    assert ".env:3" in caught.value.message
    assert "5432" in caught.value.hint
    assert by_url(Endpoint(host, 5432, "postgres", user, SECRET), tmp_path, ".env:3").port == 5432


def test_a_server_of_ones_own_may_listen_on_that_port(tmp_path):
    assert by_url(Endpoint("127.0.0.1", 6543, "postgres", "postgres", SECRET), tmp_path, ".env:3").port == 6543


def test_a_url_of_a_project_is_encrypted_unless_it_says_otherwise(tmp_path):
    place = Endpoint(POOLER, 5432, "postgres", f"postgres.{REF}", SECRET)
    assert by_url(place, tmp_path, "x").options == {"sslmode": "require"}
    full = Endpoint(POOLER, 5432, "postgres", f"postgres.{REF}", SECRET, {"sslmode": "verify-full"})
    assert by_url(full, tmp_path, "x").options == {"sslmode": "verify-full"}
    assert by_url(Endpoint("db.example.com", 5432, "d", "u"), tmp_path, "x").options == {}


def test_the_path_of_a_certificate_starts_at_the_root(tmp_path, monkeypatch):
    (tmp_path / "root.crt").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("root.crt", "~/root.crt", str(tmp_path / "root.crt")):
        place = Endpoint("h", 5432, "d", "u", options={"sslrootcert": name, "sslmode": "verify-full"})
        options = by_url(place, tmp_path, "x").options
        assert options == {"sslrootcert": str(tmp_path / "root.crt"), "sslmode": "verify-full"}
    for name in ("system", "nowhere.crt"):
        with pytest.raises(ConfigError, match=r"sslrootcert in SUPABASE_DB_URL \(\.env:1\) names no file"):
            by_url(Endpoint("h", 5432, "d", "u", options={"sslrootcert": name}), tmp_path, ".env:1")


def test_the_dashboards_page():
    assert migrations_page(REF) == f"https://supabase.com/dashboard/project/{REF}/database/migrations"
