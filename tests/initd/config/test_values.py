"""Text to value, by type: what is accepted is what supervisor accepts."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervisor import datatypes

from initd.config import fields
from initd.config.values import TYPES

TEXTS = st.one_of(
    st.text(alphabet="0123456789+-_.,kKmMgGbB \tx", max_size=8),
    st.sampled_from(
        [
            "true",
            "Yes",
            "off",
            "unexpected",
            "TERM",
            "sigint",
            "RTMAX",
            "64",
            "65",
            "_ign",
            "_block",
            "BLOCK",
            "K\u212ab",
        ]
    ),
    st.text(max_size=6),
)
THEIRS: dict[str, Callable[[str], object]] = {
    "boolean": datatypes.boolean,
    "integer": datatypes.integer,
    "size": datatypes.byte_size,
    "octal": datatypes.octal_type,
    "exitcodes": lambda text: tuple(datatypes.list_of_exitcodes(text)),
    "signal": lambda text: int(datatypes.signal_number(text)),
    "name": datatypes.process_or_group_name,
}


def result(function: Callable[[str], object], text: str) -> object:
    try:
        return function(text)
    except ValueError:
        return ValueError


@pytest.mark.parametrize("kind", sorted(THEIRS))
@given(text=TEXTS)
def test_same_values_and_same_refusals(kind: str, text: str) -> None:
    assert result(TYPES[kind], text) == result(THEIRS[kind], text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("autorestart", "TRUE", "true"),
        ("autorestart", "off", "false"),
        ("autorestart", "Unexpected", "unexpected"),
        ("logfile", "None", None),
        ("logfile", "OFF", None),
        ("logfile", "", None),
        ("logfile", "Auto", "AUTO"),
        ("logfile", "syslog", "SYSLOG"),
        ("logfile", "/dev/stdout", "/dev/stdout"),
        ("logfile", "~/x", os.path.expanduser("~/x")),
        ("level", "WARN", "warn"),
        ("seconds", "2.5", 2.5),
        ("remote", "observe", "observe"),
        ("serverurl", " auto", None),
        ("serverurl", "http://x", "http://x"),
        ("environment", 'A="1",B=2', (("A", "1"), ("B", "2"))),
        ("directory", "~", os.path.expanduser("~")),
        ("user", "www-data", "www-data"),
    ],
)
def test_the_other_types(kind: str, text: str, value: object) -> None:
    assert TYPES[kind](text) == value


@pytest.mark.parametrize(
    ("kind", "text", "cure"),
    [
        ("boolean", "maybe", "true (yes, on, 1)"),
        ("integer", "1.5", "not a whole number"),
        ("size", "1M", "KB, MB or GB"),
        ("octal", "9", "022"),
        ("signal", "FOO", "TERM, QUIT, INT"),
        ("exitcodes", "0,256", "0 to 255"),
        ("autorestart", "always", "true, false, unexpected"),
        ("level", "warning", "warn"),
        ("seconds", "0", "above 0"),
        ("remote", "all", "observe nor operate"),
        ("directory", "", "has a name"),
        ("user", "", "has a name"),
        ("name", "a b", "' '"),
        ("environment", "A=", 'write A=""'),
        ("environment", "A=1 B=2", 'put it in quotes: A="..."'),
        ("environment", "A", 'write NAME="value"'),
        ("environment", 'A="x', "never closed"),
    ],
)
def test_a_refusal_says_what_to_write(kind: str, text: str, cure: str) -> None:
    with pytest.raises(ValueError) as refusal:
        TYPES[kind](text)
    assert cure in str(refusal.value)


def test_every_type_of_the_table_exists() -> None:
    tables = [table for name, table in vars(fields).items() if name.isupper() and isinstance(table, dict)]
    assert {kind for table in tables for kind, _, _ in table.values()} <= set(TYPES)
