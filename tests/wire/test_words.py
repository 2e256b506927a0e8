"""Sets of words behave as the string enumerations they are declared as."""

from __future__ import annotations

import copy
import json
import pickle
from enum import StrEnum
from typing import Any

import pytest

from wire._words import Words


class Colour(Words):
    """Two of them."""

    RED = "red"
    """Like a rose."""
    DARK_BLUE = "dark blue"

    @property
    def loud(self) -> str:
        return self.upper()


class Original(StrEnum):
    RED = "red"
    DARK_BLUE = "dark blue"


OURS: Any = Colour
BOTH: list[Any] = [Colour, Original]


@pytest.mark.parametrize("kind", BOTH)
def test_members_are_found_and_listed(kind: Any) -> None:
    assert kind("red") is kind.RED is kind["RED"]
    assert list(kind) == ["red", "dark blue"]
    assert len(kind) == 2
    assert kind.RED in kind
    assert isinstance(kind.RED, kind)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("value", ["RED", "", None, 3, ["red"]], ids=str)
def test_other_values_are_refused(kind: Any, value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        kind(value)


@pytest.mark.parametrize("kind", BOTH)
def test_a_member_is_its_text(kind: Any) -> None:
    blue = kind.DARK_BLUE
    assert (str(blue), f"{blue:>10}", json.dumps([blue])) == ("dark blue", " dark blue", '["dark blue"]')
    assert type(str(blue)) is type(blue.value) is str
    assert blue == "dark blue" == blue.value
    assert blue.name == "DARK_BLUE"
    assert {blue: 1}["dark blue"] == 1


@pytest.mark.parametrize("kind", BOTH)
def test_there_is_one_object_a_word(kind: Any) -> None:
    red = kind.RED
    assert copy.copy(red) is copy.deepcopy([red])[0] is pickle.loads(pickle.dumps(red)) is red


def test_nothing_can_be_set() -> None:
    for target, name in ((OURS, "RED"), (OURS, "NEW"), (OURS.RED, "value"), (OURS.RED, "new")):
        with pytest.raises(AttributeError, match="is fixed"):
            setattr(target, name, "x")


def test_methods_docstring_and_repr() -> None:
    assert Colour.RED.loud == "RED"
    assert Colour.__doc__ == "Two of them."
    assert repr(Colour.RED) == "<Colour.RED: 'red'>"
    with pytest.raises(KeyError):
        OURS["red"]
