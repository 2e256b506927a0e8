"""Closed sets of words: `enum.StrEnum` without importing `enum`.

Theory.  `enum` and what it imports are a third of what an interpreter needs to start, and each of its classes costs
0.3 ms more; stage 1 has seven.  What the vocabulary needs of them is little: members that are strings, one object a
word, in the order written, found by `State("RUNNING")`.  Type checkers see `enum.StrEnum`, which has the same rules.
"""

from __future__ import annotations

__all__ = ["Words"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from enum import StrEnum as Words
else:

    class _Word(str):
        """A member: the text, and the name it has in its class."""

        def __repr__(self) -> str:
            return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

        def __reduce__(self) -> tuple[type, tuple[str]]:
            return type(self), (self.value,)

        def __copy__(self) -> _Word:
            return self

        def __deepcopy__(self, memo) -> _Word:
            return self

        def __setattr__(self, name, value) -> None:
            raise AttributeError(f"{type(self).__name__} is fixed: {name!r} cannot be set")

    class _Set(type):
        """Makes the members out of a class body, and is what `in`, `for`, `len`, `State["NAME"]` ask."""

        def __new__(mcls, title, bases, body) -> type:
            made = super().__new__(mcls, title, bases or (_Word,), {})
            members = {}
            for name, value in body.items():
                if name.startswith("__") or not isinstance(value, str):
                    type.__setattr__(made, name, value)
                    continue
                member = str.__new__(made, value)
                member.__dict__.update(name=name, value=value)
                type.__setattr__(made, name, member)
                members[value] = member
            type.__setattr__(made, "_members", members)
            return made

        def __call__(cls, value) -> _Word:
            try:
                return cls._members[value]
            except (KeyError, TypeError):
                raise ValueError(f"{value!r} is not a valid {cls.__name__}") from None

        def __getitem__(cls, name) -> _Word:
            found = [member for member in cls if member.name == name]
            if not found:
                raise KeyError(name)
            return found[0]

        def __iter__(cls) -> object:
            return iter(cls._members.values())

        def __len__(cls) -> int:
            return len(cls._members)

        def __contains__(cls, value) -> bool:
            return value in cls._members

        def __setattr__(cls, name, value) -> None:
            raise AttributeError(f"{cls.__name__} is fixed: {name!r} cannot be set")

    class Words(_Word, metaclass=_Set):
        """Base of all such sets."""
