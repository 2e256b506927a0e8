"""What was heard and may be missing in the store."""

from __future__ import annotations

from hub.cluster.hearings import Hearings


def test_what_is_under_way_goes_along_with_a_renewal_until_it_was_answered() -> None:
    hearings = Hearings()
    hearings.waiting["a"] = 1.0
    number, heard = hearings.write()
    assert heard == hearings.unwritten({}) == {"a": 1.0} and not hearings.waiting
    hearings.written(number, failed=False)
    assert hearings.unwritten({}) == {}


def test_what_failed_waits_again_and_newer_words_count() -> None:
    hearings = Hearings()
    hearings.waiting = {"a": 1.0, "b": 1.0}
    number, _ = hearings.write()
    hearings.waiting["a"] = 2.0
    hearings.written(number, failed=True)
    assert hearings.waiting == {"a": 2.0, "b": 1.0}


def test_after_blindness_the_dead_are_not_revived() -> None:
    hearings = Hearings()
    hearings.waiting["dead"] = 1.0
    hearings.begin_anew({"alive": 9.0})
    assert hearings.waiting == {"alive": 9.0} and hearings.unwritten({"other": 9.0}) == {"other": 9.0}
