"""What is said of changes that no migration can carry."""

import re

import pytest

from sbsync_tasks.databases.catalog import CatalogObject, Difference
from sbsync_tasks.errors import RefusedError
from sbsync_tasks.generate.complete import Missing
from sbsync_tasks.run.generate import Generated, refuse_unwritable

DIFFERENCE = Difference(CatalogObject("rls", "storage.objects"), "on", "off")
OFF = "ALTER TABLE storage.objects DISABLE ROW LEVEL SECURITY"
SECRET = "alter server x options (add password 'S3cretpw99')"
DENIED = Missing(OFF, None, None, OFF, "must be owner of table objects", denied=True)
LEFT_OUT = Missing("cast", None, "x", "CREATE CAST x", "not here")


@pytest.mark.parametrize(
    ("missing", "said", "unsaid"),
    [
        ((DENIED,), f"it takes: {OFF};\n    why it is not in the draft: must be owner.*take it back there", "by hand"),
        ((LEFT_OUT,), "to write: CREATE CAST x;.*by hand", "take it back"),
        ((DENIED, LEFT_OUT), "take it back there.*Add these by hand", "Everything else"),
        ((), "by hand", "take it back"),
    ],
)
def test_nobody_is_told_to_write_what_postgres_may_not_do(missing, said, unsaid):
    with pytest.raises(RefusedError) as caught:
        refuse_unwritable(None, "The remote", Generated((), (DIFFERENCE,), missing=missing))
    text = f"{caught.value.message}\n{caught.value.hint}"
    assert re.search(said, text, re.DOTALL), text
    assert unsaid not in text


def test_a_secret_in_what_cannot_be_carried_is_not_told():
    missing = Missing("server x", None, SECRET, SECRET, "must be owner")
    with pytest.raises(RefusedError) as caught:
        refuse_unwritable(
            None, "The remote", Generated((), (DIFFERENCE,), missing=(missing,), refused=((SECRET, "no"),))
        )
    assert "S3cretpw99" not in f"{caught.value.message}{caught.value.hint}"
    assert caught.value.message.count("***") == 3
