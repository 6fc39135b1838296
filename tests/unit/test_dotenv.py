"""Dotenv files: what a line means, what is refused, and how references are put in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbsync_tasks.errors import ConfigError
from sbsync_tasks.settings import Value
from sbsync_tasks.settings.layers import expand, parse, read

SECRET = "tr0ub4dor"


def parsed(text: str) -> dict[str, str]:
    return {entry.key: entry.text for entry in parse(text, ".env")}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("A = b", "b"),
        ("export A=b", "b"),
        ("A=", ""),
        ("A=b # note", "b"),
        ("A=b#c", "b#c"),
        ("A='b # c'", "b # c"),
        ('A="b # c"', "b # c"),
        (r'A="b\nc"', "b\nc"),
        (r"A='b\nc'", r"b\nc"),
        ('A="b\nc"', "b\nc"),
        ('A="b \\" c"', 'b " c'),
        ("A=$HOME", "$HOME"),
        ("A=b\r\n", "b"),
        ("\ufeffA=b", "b"),
    ],
)
def test_what_a_line_means(tmp_path, line: str, value: str) -> None:
    path = tmp_path / ".env"
    path.write_bytes(line.encode())
    assert [(entry.key, entry.text) for entry in read(path, ".env")] == [("A", value)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"A=1\n{SECRET}\n", 2),
        (f"A=1\n\n\n  {SECRET} B\n", 4),
        (f"A=1\r\n\r\n{SECRET}\r\n", 3),
        (f"# note\nA={SECRET}\n={SECRET}\n", 3),
        (f"A: {SECRET}\n", 1),
        (f"export {SECRET}\n", 1),
        (f"A={SECRET}\0\n", 1),
    ],
)
def test_a_bad_line_is_named_and_not_shown(text: str, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"^\.env:{line} is no KEY=VALUE line") as caught:
        parse(text, ".env")
    assert SECRET not in caught.value.message + caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "text",
    [
        f'A=1\nB="{SECRET}\n',
        f"A=1\nB='{SECRET}\n",
        f'A=1\nB="{SECRET}" x\n',
        f'A=1\nB="{SECRET}\nC="d"\n',
        # The quote is closed three lines later, and two settings would silently be gone.
        f'A=1\nB="{SECRET}\nSBSYNC_PROTECTED=true\nexport SUPABASE_DB_URL=x\nC="\n',
    ],
)
def test_an_open_quote_is_named_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^\.env:2: a quotation mark is not closed") as caught:
        parse(text, ".env")
    assert SECRET not in caught.value.message + caught.value.hint


def test_lines_are_counted_from_one_past_blank_ones() -> None:
    entries = parse('\n# note\nA="x\ny"\n\n\nB=1\n', ".env")
    assert [(entry.key, entry.source) for entry in entries] == [("A", ".env:3"), ("B", ".env:7")]


def test_single_quotes_keep_references() -> None:
    entries = parse("A='${B}'\nB=\"${C}\"\nC=${D}\n'E'='${F}'\n", ".env")
    assert [entry.literal for entry in entries] == [True, False, False, True]


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"^\.env cannot be read: Is a directory"):
        read(tmp_path, ".env")
    (tmp_path / "latin").write_bytes(f"A={SECRET}\xe9".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"^latin is not UTF-8 text") as caught:
        read(tmp_path / "latin", "latin")
    assert caught.value.__suppress_context__
    assert SECRET not in str(caught.value)


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_whatever_is_quoted_comes_back(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parsed(f'BEFORE=1\nA="{quoted}"\nAFTER=2\n') == {"BEFORE": "1", "A": value, "AFTER": "2"}


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_or_refused_without_being_shown(text: str) -> None:
    shown = ""
    try:
        parse(f"{text}\n{SECRET} {SECRET}\n", ".env")
    except ConfigError as error:
        shown = error.message + error.hint
    assert SECRET not in shown


def expanded(text: str, **names: str) -> str:
    def find(name: str) -> Value | None:
        return Value(name, names[name], ".env:2", literal=False) if name in names else None

    return expand(Value("A", text, ".env:1", literal=False), find)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a${B}c", "abc"),
        ("${B}${B}", "bb"),
        ("${CHAIN}", "<b>"),
        ("${NOT:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY}", ""),
        ("${NOT:-}", ""),
        ("${B:-d}", "b"),
        ("$B", "$B"),
        ("${B", "${B"),
        ("pa$$word", "pa$$word"),
    ],
)
def test_references(text: str, value: str) -> None:
    assert expanded(text, B="b", CHAIN="<${B}>", EMPTY="") == value


def test_what_was_put_in_is_not_expanded_again() -> None:
    literal = Value("B", "${A}", "process environment", literal=True)
    assert expand(Value("A", "${B}", ".env:1", literal=False), lambda _: literal) == "${A}"


def test_a_literal_value_has_no_references() -> None:
    assert expand(Value("A", "${B}", ".env:1", literal=True), lambda _: None) == "${B}"


@pytest.mark.parametrize("text", ["${A}", "${B}"])
def test_a_cycle_is_named(text: str) -> None:
    def find(name: str) -> Value | None:
        return Value(name, "${A}" if name == "B" else text, f"{name}.env:1", literal=False)

    with pytest.raises(ConfigError, match=r"round in a circle: A \(A\.env:1\) -> ") as caught:
        expand(Value("A", text, "A.env:1", literal=False), find)
    assert caught.value.message.endswith("-> A (A.env:1).")


@pytest.mark.parametrize("inside", [SECRET, f"{SECRET}-x", f"1{SECRET}", ""])
def test_a_bad_reference_names_the_place_only(inside: str) -> None:
    with pytest.raises(ConfigError, match=r"^A \(\.env:1\) (refers to|has a)") as caught:
        expanded(f"pass${{{inside}}}word")
    assert SECRET not in caught.value.message + caught.value.hint
