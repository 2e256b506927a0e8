"""Programs that write down who they are and how they mean to die, before they do; and what initd must make of it.

Each life of a mortal appends `NAME PID FATE` to the file `ledger`.  Fates: `exit-N` and `die-N` (a signal) at once;
`stay` sleeps until somebody ends it, `deaf` too but ignores SIGTERM; `brood` leaves BROOD orphans behind and exits
with 3.  A file `over` makes every further life one that stays.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

DEADLY = tuple(number for number in range(1, 32) if number not in (17, 18, 19, 20, 21, 22, 23, 28))
"""Signals whose default ends a process: not CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH (signal(7))."""

BROOD = 20
"""Orphans of one brood."""

SCRIPT = f"""\
name=$1
read n <life-$name
echo $((n + 1)) >life-$name
read -r fates <plan-$name
set -- $fates
shift $((n % $#))
fate=$1
[ ! -e over ] || fate=stay
echo $name $$ $fate >>ledger
case $fate in
exit-*) exit ${{fate#exit-}} ;;
die-*) kill -${{fate#die-}} $$ ;;
deaf) trap "" TERM; exec sleep 100000 ;;
stay) exec sleep 100000 ;;
brood) i=0; while [ $i -lt {BROOD} ]; do (sleep 0.1 &); i=$((i + 1)); done; sleep 0.1; exit 3 ;;
esac
"""


class Mortal(NamedTuple):
    """One program: its policy and the fates of its lives, in turn."""

    name: str
    fates: tuple[str, ...]
    autorestart: str = "true"
    startsecs: int = 0
    startretries: int = 3

    @property
    def is_left_alone(self) -> bool:
        """Whether only it decides how it dies."""
        return self.name in ("brood", "flapper")

    def section(self) -> str:
        """Its part of the configuration."""
        return (
            f"[program:{self.name}]\ncommand=sh mortal.sh {self.name}\nautostart=false\n"
            f"autorestart={self.autorestart}\nexitcodes=0,2\nstartsecs={self.startsecs}\nstartretries={self.startretries}\nstopwaitsecs=1\n"
            "stderr_logfile=/dev/null\n"
        )

    def restarts(self, code: int | None) -> bool:
        """Whether its policy asks for another life after such an end by itself; None: by a signal."""
        return self.autorestart == "true" or (self.autorestart == "unexpected" and code not in (0, 2))


class Birth(NamedTuple):
    """One line of the ledger."""

    name: str
    pid: int
    fate: str


def mortals(dice: random.Random) -> tuple[Mortal, ...]:
    """Ten programs with every policy."""

    def fates() -> tuple[str, ...]:
        exits = [f"exit-{dice.choice((0, 2, dice.randrange(256)))}" for _ in range(20)]
        deaths = [f"die-{dice.choice(DEADLY)}" for _ in range(15)]
        mixed = [*exits, *deaths, *["stay"] * 30, *["deaf"] * 3]
        dice.shuffle(mixed)
        return tuple(mixed)

    policies = ("true",) * 4 + ("unexpected",) * 3 + ("false",)
    wild = [Mortal(f"{policy}{number}", fates(), policy) for number, policy in enumerate(policies)]
    return *wild, Mortal("brood", ("brood",)), Mortal("flapper", ("exit-1",), startsecs=1, startretries=2)


def settle(folder: Path, programs: tuple[Mortal, ...]) -> str:
    """Write their files; the configuration."""
    (folder / "mortal.sh").write_text(SCRIPT)
    (folder / "ledger").touch()
    for one in programs:
        (folder / f"life-{one.name}").write_text("0\n")
        (folder / f"plan-{one.name}").write_text(" ".join(one.fates) + "\n")
    sections = "".join(one.section() + f"directory={folder}\n" for one in programs)
    return f"[supervisord]\npidfile={folder}/pid\n{sections}"


class Ledger:
    """The births as far as they were read."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "ledger").open()
        self.births: list[Birth] = []
        self._rest = ""

    def read(self) -> list[Birth]:
        """All births by now."""
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        words = [line.split() for line in lines]
        self.births += [Birth(name, int(pid), fate) for name, pid, fate in words]
        return self.births

    def close(self) -> None:
        """Give the descriptor back."""
        self._file.close()
