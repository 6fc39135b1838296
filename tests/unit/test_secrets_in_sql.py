"""Credentials in SQL: what is found, what is not, and that nothing shows them."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks.checks import Severity, has_secret, review
from sbsync_tasks.checks.finding import mask, secrets


def coded(claims):
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def token(**claims):
    return f"{coded({'alg': 'HS256', 'typ': 'JWT'})}.{coded(claims)}.{'s1G-_' * 8}"


# Put together here, so that no scanner of repositories takes them for real ones.
JWT = token(sub="1234567890")
SERVICE = token(role="service_role", iss="supabase")
SECRET_KEY = "sb_" + "secret_" + "Ab3-" * 7
ACCESS_TOKEN = "sbp_" + "0123456789abcdef0123" * 2
AWS = "AK" + "IA" + "Q3EGRZ7T2LMNB4XV"
BEARER = "k3y." + "aB9~" * 8
PASSWORD = "hunter2%21"
KEY_BODY = "MIIEvQIBADANBgkqhkiG9w0B\n" * 4
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_BODY}-----END RSA PRIVATE KEY-----"


def only(sql):
    (found,) = secrets(sql)
    assert found.rule == "secret"
    assert found.severity is Severity.EXPOSURE
    assert "Vault" in found.way_out
    assert "git for ever" in found.way_out
    return found


@pytest.mark.parametrize(
    ("text", "secret", "kind"),
    [
        (JWT, JWT, "JSON Web Token"),
        (SERVICE, SERVICE, "JSON Web Token of service_role"),
        (f"Bearer {SERVICE}", SERVICE, "JSON Web Token of service_role"),
        (f'{{"Authorization": "Bearer {BEARER}"}}', BEARER, "bearer token"),
        (SECRET_KEY, SECRET_KEY, "Supabase secret key"),
        (ACCESS_TOKEN, ACCESS_TOKEN, "Supabase access token"),
        (f"postgres://me:{PASSWORD}@db.example.com:5432/x", PASSWORD, "database password"),
        (f"postgresql://me:{PASSWORD}@[::1]/x?sslmode=require", PASSWORD, "database password"),
        (AWS, AWS, "AWS access key"),
        (KEY, KEY_BODY.strip(), "private key"),
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        "select '{}'",
        "insert into t values (1, '{}');",
        "-- {}\nselect 1;",
        "create function f() returns int language plpgsql as $$ begin\n perform g('{}'); return 1; end $$",
        "create trigger g after insert on t execute function h('x', '{}')",
        "do $$ begin execute 'select ''' || '{}' || x; end $$",
        "select '{}",
    ],
)
def test_credentials_are_found_and_never_shown(text, secret, kind, frame):
    sql = frame.format(text)
    found = review(sql).findings
    assert [f.object for f in found if f.rule == "secret"] == [kind]
    for part in [secret, *secret.split("\n")]:
        assert not [f for f in found if part in repr(f)]


def test_the_line_is_that_of_the_credential():
    found = only(f"select 1;\n\nselect f(\n  'a', '{AWS}');")
    assert (found.line, found.statement) == (4, "'a', '***');")


def test_each_credential_is_a_finding():
    found = tuple(secrets(f"select '{AWS}', '{JWT}';\nselect '{AWS}'"))
    assert sorted((f.line, f.object) for f in found) == [
        (1, "AWS access key"),
        (1, "JSON Web Token"),
        (2, "AWS access key"),
    ]


def test_other_findings_of_the_statement_do_not_show_it_either():
    found = review(f"update t set a = '{AWS}'").findings
    assert {f.rule: f.statement for f in found}["update-all"] == "update t set a = '***'"


@pytest.mark.parametrize(
    "text",
    [
        "123e4567-e89b-12d3-a456-426614174000",
        "d41d8cd98f00b204e9800998ecf8427e",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "Bearer ",
        "Bearer token-without-any-number-in-it",
        "Bearer YOUR_SERVICE_ROLE_KEY_NUMBER_1",
        "the bearer of 12345678901234567890x",
        "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH",
        "sb_secret_",
        "sbp_0123",
        "postgres://localhost:5432/db",
        "postgres://me@localhost/db",
        "postgresql://postgres:[YOUR-PASSWORD]@db.x.supabase.co:5432/postgres",
        "https://example.com:8000/a@b",
        "eyJhbGciOiJIUzI1NiJ9",
        "AKIA",
        "-----BEGIN PUBLIC KEY-----\n" + "A1b2" * 20 + "\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----|-----END PRIVATE KEY-----",
        "service_role",
    ],
)
def test_harmless_texts_are_not_taken_for_credentials(text):
    assert not has_secret(f"select '{text}'")
    assert mask(text) == text


def test_a_token_that_a_query_reads_is_no_literal():
    sql = "select 'Bearer ' || (select decrypted_secret from vault.decrypted_secrets where name = 'service_role_key')"
    assert not has_secret(sql)


@pytest.mark.parametrize("payload", ["[1, 2, 3]", "nothing at all", '{"role": ["service_role"]}'])
def test_a_token_with_an_odd_payload_is_one_all_the_same(payload):
    text = f"{coded({'alg': 'HS256'})}.eyJ{coded(payload)}.{'s1G-_' * 8}"
    assert only(f"select '{text}'").object == "JSON Web Token"


@given(st.text())
def test_masking_twice_is_masking_once(text):
    assert mask(mask(text)) == mask(text)
