from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.topics.logs import masks
from initd.logs.mask import Mask

PAIRS = [
    ("password=*", b"password=abc def", b"password=*** def"),
    ("password=*", b"PassWord: abc def", b"PassWord: *** def"),
    ("password=*", b'{"password": "a b", "x": 1}', b'{"password": "***", "x": 1}'),
    ("password=*", b'{"password":"a\\"b"}', b'{"password":"***"}'),
    ("password=*", rb"{\"password\": \"a b\"}", rb"{\"password\": \"***\"}"),
    ("password=*", b"db_password = 'x y' z", b"db_password = '***' z"),
    ("password=*", b"the password is wrong, password", b"the password is wrong, password"),
    ("password=*", b'password="never closed', b'password="***'),
    ("password:*", b"password=a password:b", b"password=*** password:***"),
    ("Bearer *", b"authorization: bearer a.b-c, x", b"authorization: bearer *** x"),
    ("AKIA*", b"key AKIAIOSFODNN7 and AKIAX", b"key AKIA*** and AKIA***"),
    ("://*@", b"postgres://u:p@db/x http://plain/ ://a@b", b"postgres://***@db/x http://plain/ ://***@b"),
    ("hunter2", b"Hunter2hunter2 HUNTER", b"****** HUNTER"),
    ("token=*,password=*", b"token=password=x y", b"token=*** y"),
]


@pytest.mark.parametrize(("patterns", "text", "masked"), PAIRS)
def test_secrets_become_stars(patterns, text, masked):
    assert Mask(masks(patterns))(text + b"\n") == masked + b"\n"


def test_what_is_no_secret_stays():
    text = b"nothing \xff\x00 here\nor there\n"
    assert Mask(("password=*", "://*@", "x9"))(text) is text


@pytest.mark.parametrize(
    ("pieces", "masked"),
    [
        ([b"password=", b"abc def\n"], [b"password=", b"*** def\n"]),
        ([b"passw", b"ord=abc\n"], [b"passw", b"ord=***\n"]),
        ([b"password=ab", b"cd", b"ef gh\n"], [b"password=***", b"", b" gh\n"]),
        ([b'"password": "a b', b'c", 1\n'], [b'"password": "***', b'", 1\n']),
        ([b"password=ab", b"cd\nnext\n"], [b"password=***", b"\nnext\n"]),
        ([b"http://u:p", b"q@host\n"], [b"http://***", b"\n"]),
        ([b"plain ", b"text\npassword=x\n"], [b"plain ", b"text\npassword=***\n"]),
    ],
)
def test_a_secret_in_pieces_is_masked_in_each(pieces, masked):
    mask = Mask(("password=*", "://*@"))
    assert [mask(piece) for piece in pieces] == masked


def test_a_run_that_ends_within_a_secret_masks_nothing_of_the_next():
    mask = Mask(("password=*",))
    mask(b"password=ab")
    mask.forget()
    assert mask(b"cd\n") == b"cd\n"


@given(st.lists(st.sampled_from([b"password=", b"s3cr3t", b"\n", b" ", b'"', b"\\", b"://", b"@", b"x"]), max_size=30))
def test_the_rest_of_the_text_stays_in_its_order(words):
    text = b"".join(words) + b"\n"
    masked = Mask(("password=*", "://*@"))(text)
    assert masked.count(b"\n") == text.count(b"\n")
    at = 0
    for part in masked.split(b"***"):
        at = text.index(part, at) + len(part)


@given(st.lists(st.sampled_from([b"a ", b"password=", b"s3cr3t", b" b", b"\n"]), max_size=12), st.integers(1, 8))
def test_however_a_line_is_cut_its_secret_never_shows(words, size):
    text = b"".join(words) + b"\n"
    whole = Mask(("password=*",))(text)
    mask = Mask(("password=*",))
    pieces = [mask(text[at : at + size]) for at in range(0, len(text), size)]
    assert b"".join(pieces).count(b"s3cr3t") <= whole.count(b"s3cr3t")


@pytest.mark.parametrize(
    "text",
    [b"://" * 30000, b"password=" * 10000, b'password="' * 9000, b"password\n" * 10000, b"password=" + b"\\" * 90000],
)
def test_hostile_text_takes_no_longer_than_it_is_long(text):
    mask, began = Mask(("password=*", "://*@")), time.process_time()
    mask(text + b"\n")
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("text", ["*x", "a", "a*b*c", "x*" + "y" * 200, ",".join(f"key{n}=*" for n in range(40)), " *"])
def test_patterns_that_cannot_be_meant_are_refused(text):
    with pytest.raises(ValueError):
        masks(text)


def test_patterns_stand_in_a_list():
    assert masks("password=*, Bearer *,\n x9 ,") == ("password=*", "Bearer *", "x9")
