"""Letters of one pool: order, overflow, rejection, listeners that come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from initd.eventlistener import events
from initd.eventlistener.pool import Pool
from wire.limits import EVENT_BUFFER_BYTES

TICK = events.tick(5, 1000)


class Scene:
    """A pool whose listeners are up; `sent` is what they were sent, by name."""

    def __init__(self, *names: str, size: int = 3, wanted: tuple[str, ...] = ("TICK",), handler: str = "") -> None:
        self.said: list[str] = []
        self.pool = Pool("p", "supervisor", lambda text, level: self.said.append(text))
        self.pool.configure(wanted, size, handler or "supervisor.dispatchers:default_handler", names or ("a",))
        self.sent: list[tuple[str, bytes]] = []
        self.serial = -1
        self.closed: set[str] = set()

    def tell(self, *names: events.Event) -> None:
        for event in names or (TICK,):
            self.serial += 1
            self.pool.offer(event, self.serial)
        self.dispatch()

    def say(self, name: str, chunk: bytes) -> None:
        self.pool.heard(name, chunk)
        self.dispatch()

    def dispatch(self) -> None:
        self.pool.dispatch(lambda name: True, self._send)

    def _send(self, name: str, text: bytes) -> bool:
        if name in self.closed:
            return False
        self.sent.append((name, text))
        return True

    def serials(self) -> list[tuple[str, int]]:
        return [(name, int(text.split(b" serial:")[1].split()[0])) for name, text in self.sent]


def test_the_header_is_supervisords() -> None:
    scene = Scene()
    scene.say("a", b"READY\n")
    scene.tell()
    assert scene.sent == [
        ("a", b"ver:3.0 server:supervisor serial:0 pool:p poolserial:0 eventname:TICK_5 len:9\nwhen:1000")
    ]


def test_the_length_counts_characters() -> None:
    event = events.log("stdout", "web", "web", 7, "hällo\n".encode())
    text = events.envelope(events.Letter(1, 2, event), "s", "p")
    header, _, payload = text.partition(b"\n")
    assert int(header.rpartition(b"len:")[2]) == len(payload.decode()) == len(payload) - 1


def test_text_that_is_no_utf8_is_shown_as_python_does() -> None:
    assert events.log("stderr", "w", "g", 7, b"\xff").payload.endswith("channel:stderr\nUndecodable: b'\\xff'")


def test_events_go_to_whoever_is_ready() -> None:
    scene = Scene("a", "b")
    scene.say("b", b"READY\n")
    scene.tell()
    scene.tell()
    scene.say("a", b"READY\n")
    assert scene.serials() == [("b", 0), ("a", 1)]


def test_a_rejected_event_comes_again_before_the_others() -> None:
    scene = Scene("a")
    scene.say("a", b"READY\n")
    scene.tell(TICK, TICK)
    scene.say("a", b"RESULT 4\nFAILREADY\n")
    scene.say("a", b"RESULT 2\nOKREADY\n")
    assert scene.serials() == [("a", 0), ("a", 0), ("a", 1)] and scene.said == ["a: event was rejected"]


def test_the_oldest_goes_where_there_is_no_room_and_is_said_once() -> None:
    scene = Scene(size=2)
    scene.tell(*[TICK] * 5)
    scene.say("a", b"READY\n")
    scene.say("a", b"RESULT 2\nOKREADY\n")
    assert scene.serials() == [("a", 3), ("a", 4)] and scene.pool.discarded == 3
    assert scene.said[0] == "pool p: its buffer of 2 events is full, discarding event 0 (TICK_5)"
    assert scene.said[1:] == ["pool p: 2 more events were discarded meanwhile"]


def test_bytes_are_bounded_too() -> None:
    scene = Scene(size=1000, wanted=("PROCESS_LOG",))
    scene.tell(*[events.log("stdout", "w", "w", 1, b"x" * 60_000)] * 200)
    assert len(scene.pool) <= EVENT_BUFFER_BYTES // 60_000


def test_a_broken_listener_gives_its_event_back_and_gets_no_more() -> None:
    scene = Scene("a", "b")
    scene.say("a", b"READY\n")
    scene.tell()
    scene.say("a", b"RESULT what\n")
    assert scene.pool.is_deaf("a") and "gets no events any more" in scene.said[0]
    scene.say("b", b"READY\n")
    assert scene.serials() == [("a", 0), ("b", 0)]


def test_a_dead_listener_gives_its_event_back() -> None:
    scene = Scene("a")
    scene.say("a", b"READY\n")
    scene.tell()
    scene.pool.ended("a")
    scene.pool.began("a")
    scene.say("a", b"READY\n")
    assert scene.serials() == [("a", 0), ("a", 0)]


def test_one_that_cannot_be_reached_is_passed_over() -> None:
    scene = Scene("a", "b")
    scene.closed.add("a")
    for name in "ab":
        scene.say(name, b"READY\n")
    scene.tell()
    assert scene.serials() == [("b", 0)]


def test_an_event_is_told_as_often_as_it_is_meant() -> None:
    scene = Scene(wanted=("EVENT", "TICK", "TICK_5", "PROCESS_STATE"))
    scene.tell()
    assert len(scene.pool) == 3


def test_other_handlers_accept_any_result() -> None:
    scene = Scene(handler="mine:handler")
    scene.say("a", b"READY\n")
    scene.tell(TICK, TICK)
    scene.say("a", b"RESULT 5\nhelloREADY\n")
    assert scene.serials() == [("a", 0), ("a", 1)]


def test_letters_wait_through_a_new_configuration() -> None:
    scene = Scene("a")
    scene.tell()
    scene.pool.configure(("EVENT",), 5, scene.pool.handler, ("b",))
    scene.say("b", b"READY\n")
    assert scene.serials() == [("b", 0)]


@given(st.lists(st.sampled_from(["tell", "ready", "ok", "no", "junk", "die"]), max_size=40), st.integers(1, 4))
def test_order_and_bounds_hold_whatever_listeners_do(steps: list[str], size: int) -> None:
    scene = Scene("a", "b", size=size)
    words = {"ready": b"READY\n", "ok": b"RESULT 2\nOK", "no": b"RESULT 2\nNO", "junk": b"what is this\n"}
    for number, step in enumerate(steps):
        name = "ab"[number % 2]
        if step == "tell":
            scene.tell()
        elif step == "die":
            scene.pool.ended(name)
            scene.pool.began(name)
        else:
            scene.say(name, words[step])
        assert len(scene.pool) <= size
    first = list(dict.fromkeys(serial for _, serial in scene.serials()))
    assert first == sorted(first)
