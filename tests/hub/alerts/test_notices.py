"""What is told of a group: once, together, again when it is over; never what is silenced."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.machine import Alert, Details, Phase
from hub.alerts.notices import PAUSE_SECONDS, REFRESH_SECONDS, WAIT_SECONDS, Groups, Notice, group_of, kept

RULE = "agent-lost"


def alert(subject: str, place: str = "h1") -> Alert:
    return Alert(RULE, subject, "critical", Phase.FIRING, 1000.0, 1000.0, Details(f"{subject} is lost", {}, place))


class Told:
    """Groups in virtual time, one step a second."""

    def __init__(self) -> None:
        self.groups, self.at = Groups("hub-1"), 1000.0

    def go(self, seconds: float, *subjects: str, silenced: str = "", off: str = "") -> list[Notice]:
        """The notices of so many seconds in which these alerts fire."""
        notices = []
        for _ in range(round(seconds)):
            self.at += 1.0
            present = [(alert(subject), subject in silenced) for subject in subjects]
            notices += self.groups.step(present, {(RULE, "h1"): off} if off else {}, self.at)
        return notices

    def states(self, seconds: float, *subjects: str, silenced: str = "") -> list[tuple[str, int]]:
        return [(one.state, one.going) for one in self.go(seconds, *subjects, silenced=silenced)]


def test_alerts_of_one_place_are_one_notice() -> None:
    told = Told()
    assert told.states(WAIT_SECONDS, *"abcd") == []
    (notice,) = told.go(2, *map(str, range(40)))
    assert (notice.state, notice.going, len(notice.firing)) == ("firing", 40, 20)
    assert notice.summary.startswith("40 x agent-lost on h1: ")


def test_a_silent_host_is_said_instead() -> None:
    (notice,) = Told().go(10, "a", "b", off="host h1 may be off")
    assert notice.summary == "host h1 may be off"


def test_more_alerts_are_told_after_a_pause() -> None:
    told = Told()
    told.go(10, "a")
    assert told.states(PAUSE_SECONDS - 10, "a", "b") == []
    assert told.states(10, "a", "b") == [("firing", 2)]


def test_the_end_is_told_once() -> None:
    told = Told()
    told.go(10, "a", "b")
    (some,) = told.go(40, "a")
    assert (some.state, [item.subject for item in some.ended]) == ("firing", ["b"])
    (end,) = told.go(60)
    assert (end.state, end.summary, end.firing) == ("resolved", "a is lost", ())
    assert told.groups.groups == {}


def test_what_began_and_ended_before_it_was_told_is_never_told() -> None:
    told = Told()
    assert told.states(WAIT_SECONDS - 1, "a") == [] and told.states(100) == []


def test_what_is_silenced_is_not_told_until_the_silence_ends() -> None:
    told = Told()
    assert told.states(100, "a", silenced="a") == []
    assert told.states(10, "a") == [("firing", 1)]


def test_a_silence_does_not_look_like_an_end() -> None:
    told = Told()
    told.go(10, "a")
    assert told.states(50, "a", silenced="a") == []
    assert told.states(50, silenced="a") == [("resolved", 0)]


def test_who_forgets_is_told_again_without_a_new_epoch() -> None:
    told = Told()
    first = told.go(10, "a")[0]
    again = told.go(REFRESH_SECONDS, "a")
    assert [(one.state, one.epoch) for one in again] == [("refresh", first.epoch)]


def test_a_kept_group_is_not_told_again_after_a_restart() -> None:
    told, new = Told(), Told()
    told.go(10, "a")
    new.groups.restore(group_of(kept(told.groups.groups[RULE, "h1"])))
    new.at = told.at
    assert [state for state, _ in new.states(40, "a")] == ["refresh"]
    assert new.states(40) == [("resolved", 0)]


@given(st.lists(st.sets(st.sampled_from("abc")), max_size=60), st.integers(1, 20))
def test_epochs_only_grow_and_ends_follow_beginnings(steps: list[set[str]], seconds: int) -> None:
    told = Told()
    notices = [one for step in steps for one in told.go(seconds, *step)]
    news = [one for one in notices if one.state != "refresh"]
    assert [one.epoch for one in news] == sorted({one.epoch for one in news})
    known: set[str] = set()
    for one in news:
        ended = {item.subject for item in one.ended}
        assert ended <= known
        known = (known - ended) | {item.subject for item in one.firing}
        assert (one.state == "resolved") is (not known)
    gaps = [b.at - a.at for a, b in pairwise(news)]
    assert all(gap >= WAIT_SECONDS for gap in gaps)
