"""What the CLI's engine says when it refuses, as 3.1.0 and 2.122.1 have written it, in sentences."""

import pytest

from sbsync_tasks.supabase_cli.answers import engine_refusal, is_refusal

OWNER = (
    'Database diff failed: capability: cannot set owner of schema:owned to role "app_owner" — applier "postgres" is '
    "not a superuser or a member of that role; grant membership or apply as a member/superuser"
)
HIDDEN = "neither produced by this plan nor present on the target (a filter may be hiding its creation)"
NEEDS = 'Database diff failed: missing requirement: action "{}" produces {}, which depends on {} — ' + HIDDEN


def test_an_owner_that_nobody_may_give_names_object_role_and_statement():
    what, way_out, about = engine_refusal(OWNER, ())
    assert "The schema owned belongs to the role app_owner, and postgres is no member" in what
    assert 'grant "app_owner" to "postgres";' in way_out
    assert way_out.endswith("SBSYNC_SCHEMAS: the schemas to compare, such as public, without owned.")
    assert engine_refusal(OWNER, ("public", "owned"))[1].endswith("Without owned in SBSYNC_SCHEMAS all else goes on.")
    assert about == "schema owned"


@pytest.mark.parametrize(
    ("action", "made", "needed", "said", "schema"),
    [
        ('ALTER TABLE "public"."y" ADD COLUMN "m" app.mood', "column:public.y.m", "type:app.mood",
         "The column public.y.m needs the type app.mood", "app"),
        ('CREATE VIEW "public"."y" AS  SELECT t.id\n   FROM app.t;', "view:public.y", "column:app.t.id",
         "The view public.y needs the column app.t.id", "app"),
        ('CREATE POLICY "p" ON "public"."y" USING (app.ok())', "policy:public.y.p", "function:app.ok()",
         "The policy public.y.p needs the function app.ok()", "app"),
    ],
)  # fmt: skip
def test_what_a_schema_that_is_left_out_holds_names_the_setting(action, made, needed, said, schema):
    what, way_out, about = engine_refusal(NEEDS.format(action, made, needed), ("public",))
    assert what == f"{said}, and SBSYNC_SCHEMAS (public) leaves out the schema {schema}."
    assert way_out == f"Add {schema} to SBSYNC_SCHEMAS, and run again."
    assert f"The {about} needs" in said


def test_a_parent_that_is_left_out():
    said = (
        'Database diff failed: missing requirement: action "CREATE TABLE "public"."y" () INHERITS ("app"."t")" '
        "consumes table:app.t, which neither exists on the target nor is produced by this plan — a filter may be "
        "hiding its creation"
    )
    assert engine_refusal(said, ("public",)) == (
        "A new object needs the table app.t, and SBSYNC_SCHEMAS (public) leaves out the schema app.",
        "Add app to SBSYNC_SCHEMAS, and run again.",
        "",
    )


def test_an_extension_stands_in_no_schema():
    said = NEEDS.format('ALTER TABLE "public"."y" ADD COLUMN "a" hstore', "column:public.y.a", "extension:hstore")
    what, way_out, about = engine_refusal(said, ("public", "app"))
    assert "needs the extension hstore, and SBSYNC_SCHEMAS (public, app) leaves out what stands in no schema" in what
    assert (way_out, about) == ("Unset SBSYNC_SCHEMAS, and run again.", "column public.y.a")


def test_without_the_setting_nothing_is_said_of_it():
    said = NEEDS.format("…", "column:public.y.m", "type:auth.kind")
    what, way_out, about = engine_refusal(said, ())
    assert "needs the type auth.kind, which the CLI's diff engine leaves out" in what
    assert "SBSYNC_SCHEMAS" not in what + way_out
    assert "invoke new" in way_out
    assert about == "column public.y.m"


def test_other_words_stay_as_they_are_after_a_sentence():
    assert engine_refusal("Database diff failed: something new", ()) == (
        "The CLI's diff engine could not write the difference: something new", "", ""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "message", "refused"),
    [
        ("PgDeltaEngineError", 'Database diff failed: domain "public"."d": cannot replace an in-use domain', True),
        (
            "LegacyPgDeltaEngineError",
            'Database diff failed: domain "public"."d": cannot replace an in-use domain',
            True,
        ),
        ("PgDeltaEngineError", "failed to connect to postgres: dial error (connect ECONNREFUSED 127.0.0.1:1)", False),
        ("DbConnectError", "Database diff failed: whatever", False),
    ],
)
def test_a_connection_that_fails_is_no_refusal(code: str, message: str, *, refused: bool) -> None:
    assert is_refusal(code, message) is refused
