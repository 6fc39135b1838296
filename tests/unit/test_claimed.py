"""Statements for what migrations claim of the platform's objects."""

import pytest

from sbsync_tasks.databases.catalog import CatalogObject, Difference
from sbsync_tasks.generate.facts import claimed


def statements(kind, name, left, right, whose="service"):
    fact = CatalogObject(kind, name, "storage", "table storage.objects", whose)
    return [part.text for part in claimed([Difference(fact, left, right)])]


@pytest.mark.parametrize(
    ("left", "right", "made"),
    [
        ("USAGE", None, ["REVOKE USAGE ON schema extensions FROM authenticated"]),
        (None, "CREATE, USAGE", ["GRANT CREATE ON schema extensions TO authenticated",
                                 "GRANT USAGE ON schema extensions TO authenticated"]),
        ("USAGE", "USAGE with grant option", ["GRANT USAGE ON schema extensions TO authenticated WITH GRANT OPTION"]),
        ("USAGE with grant option", "USAGE", ["REVOKE GRANT OPTION FOR USAGE ON schema extensions FROM authenticated"]),
    ],
)  # fmt: skip
def test_rights(left, right, made):
    assert statements("acl", "authenticated on schema extensions", left, right) == made


@pytest.mark.parametrize(
    ("left", "right", "made"),
    [
        ("on", "off", ["ALTER TABLE storage.objects DISABLE ROW LEVEL SECURITY"]),
        ("off", "on, forced", ["ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY",
                               "ALTER TABLE storage.objects FORCE ROW LEVEL SECURITY"]),
        ("on, forced", "on", ["ALTER TABLE storage.objects NO FORCE ROW LEVEL SECURITY"]),
    ],
)  # fmt: skip
def test_row_level_security(left, right, made):
    assert statements("rls", "storage.objects", left, right) == made


def test_the_users_own_objects_are_left_to_others():
    assert statements("rls", "public.t", "on", "off", whose="") == []
    assert statements("owner", "table storage.objects", "a", "b") == []
