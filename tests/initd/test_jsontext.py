"""The C half of json says what json says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.jsontext import dumps, loads

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
ALONE = """import sys
from initd.jsontext import loads, stand_alone
stand_alone()
try:
    loads(b'{"a": }')
except ValueError as error:
    print(error, "json" in sys.modules, "re" in sys.modules)
"""


@given(values)
def test_values_are_written_and_read_alike(value: object) -> None:
    text = dumps(value)
    assert text == json.dumps(value, separators=(",", ":"))
    assert loads(text.encode()) == json.loads(text)


@given(st.text(st.sampled_from('{}[]",:\\ \n\t019.-+eEtruefalsn\x00é')))
def test_texts_are_taken_or_refused_alike(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=lambda name: json.loads(name + name))
    except ValueError:
        with pytest.raises(ValueError):
            loads(text.encode())
    else:
        assert loads(text.encode()) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError):
        dumps({"a": value})
    for text in (b"NaN", b"[-Infinity]", b"\xff", b"1 2", b""):
        with pytest.raises(ValueError):
            loads(text)


def test_what_is_no_json_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(TypeError):
        dumps({"a": object()})
    with pytest.raises(ValueError):
        dumps(circle)
    with pytest.raises(RecursionError):
        loads(b"[" * 100_000)


def test_a_fault_loads_nothing() -> None:
    done = subprocess.run([sys.executable, "-S", "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False False")
