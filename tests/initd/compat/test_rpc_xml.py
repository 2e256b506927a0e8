"""Our XML-RPC beside Python's own: each reads what the other writes; what is hostile is refused."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.compat.rpc_words import FAULTS, Fault, RemoteFault, join_name, split_name
from initd.compat.rpc_xml import BadXml, dump_call, dump_fault, dump_result, load_answer, load_call
from wire.limits import RPC_DEPTH

TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n", exclude_characters="\ufffe\uffff")
)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.from_regex("[a-zA-Z0-9_.:/]+", fullmatch=True), st.lists(VALUES, max_size=4))
def test_calls_are_read_alike(name: str, args: list[Any]) -> None:
    assert xmlrpc.client.loads(dump_call(name, args)) == (tuple(args), name)
    assert load_call(xmlrpc.client.dumps(tuple(args), name).encode()) == (name, args)


@given(VALUES)
def test_results_are_read_alike(value: Any) -> None:
    assert xmlrpc.client.loads(dump_result(value)) == ((value,), None)
    assert load_answer(xmlrpc.client.dumps((value,), methodresponse=True).encode()) == value


@given(st.sampled_from(sorted(FAULTS.values())), TEXT)
def test_faults_are_read_alike(code: int, text: str) -> None:
    with pytest.raises(xmlrpc.client.Fault) as theirs:
        xmlrpc.client.loads(dump_fault(code, text))
    assert (theirs.value.faultCode, theirs.value.faultString) == (code, text)
    with pytest.raises(RemoteFault) as ours:
        load_answer(xmlrpc.client.dumps(xmlrpc.client.Fault(code, text)).encode())
    assert (ours.value.code, ours.value.text, FAULTS[ours.value.name]) == (code, text, code)


@given(st.text())
def test_any_text_can_be_sent(text: str) -> None:
    [[read], _] = xmlrpc.client.loads(dump_result(text.encode("utf-8", "replace").decode()))
    assert isinstance(read, str)


def test_control_characters_go_as_escapes() -> None:
    assert load_answer(dump_result("\x1b[31mred\x00")) == "\\x1b[31mred\\x00"


def test_values_without_a_type_are_text_and_base64_is_read() -> None:
    call = b"<methodCall><methodName>m</methodName><params><param><value> a </value></param>%s</params></methodCall>"
    assert load_call(call % b"") == ("m", [" a "])
    more = b"<param><value><base64>aMOk</base64></value></param><param><value><nil/></value></param>"
    assert load_call(call % more) == ("m", [" a ", "hä", None])
    assert load_call(b"<methodCall><methodName>m</methodName></methodCall>") == ("m", [])


@given(st.binary(max_size=300))
def test_anything_else_is_refused(document: bytes) -> None:
    with pytest.raises(BadXml):
        load_call(document)
    with pytest.raises(BadXml):
        load_answer(document)


@pytest.mark.parametrize(
    "inside",
    [
        "<value><int>1.5</int></value>",
        "<value><double>x</double></value>",
        "<value><base64>x</base64></value>",
        "<value><odd>1</odd></value>",
        "<int>1</int>",
        "<value>" + "<array><data><value>" * RPC_DEPTH * 2 + "</value></data></array>" * RPC_DEPTH * 2 + "</value>",
    ],
)
def test_values_that_make_no_sense_are_refused(inside: str) -> None:
    document = f"<methodCall><methodName>m</methodName><params><param>{inside}</param></params></methodCall>"
    with pytest.raises(BadXml):
        load_call(document.encode())


def test_entities_are_refused_before_they_grow() -> None:
    entities = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
    bomb = f"{entities}<methodCall><methodName>&c;</methodName></methodCall>"
    with pytest.raises(BadXml, match="document type"):
        load_call(bomb.encode())


SPLIT = {
    "a": ("a", "a"), "a:b": ("a", "b"), "a:*": ("a", None), "a:": ("a", None), "a:b:c": ("a", "b:c"), "": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "split"), SPLIT.items())
def test_names_are_split_as_supervisord_does(text: str, split: tuple[str, str | None]) -> None:
    from supervisor.options import make_namespec, split_namespec

    assert split_name(text) == split_namespec(text) == split
    assert join_name(*split) == make_namespec(*split)


def test_faults_are_those_of_the_original() -> None:
    from supervisor.xmlrpc import Faults, RPCError

    assert {name: code for name, code in vars(Faults).items() if name.isupper()} == FAULTS
    for name, code in FAULTS.items():
        assert Fault(name, "x").text == RPCError(code, "x").text
        assert Fault(name).text == RPCError(code).text
