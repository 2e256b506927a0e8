"""XML-RPC's XML: calls and answers to values and back, with bounds; pure.

Theory.  Both ends of a conversation are untrusted, so a document type declaration is refused (no entities, no
amplification), nesting is bounded, and nothing is looked up anywhere.  The reader builds a small tree and converts it:
supervisor's own reader and xmlrpc.client accept the same documents.  XML 1.0 cannot carry most control characters, and
supervisor sends them raw, upon which its clients fail; here they go as `\\x1b`, as text.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from pyexpat import ExpatError, ParserCreate

from initd.compat.rpc_words import RemoteFault
from wire.limits import RPC_DEPTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry."""

PROLOG = "<?xml version='1.0'?>\n"
NESTING = 3 * RPC_DEPTH + 8
"""Elements around the innermost text: value, array, data for each level."""


class BadXml(ValueError):
    """The document is none of XML-RPC."""


class Element:
    """One element: its name, its children, the text directly in it."""

    __slots__ = ("children", "parts", "tag")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.children: list[Element] = []
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def only(self, tag: str) -> Element | None:
        """The first child of that name."""
        return next((child for child in self.children if child.tag == tag), None)


class _Builder:
    """Takes the parser's events."""

    def __init__(self) -> None:
        self.root = Element("")
        self.stack = [self.root]

    def start(self, tag: str, _attributes: object) -> None:
        if len(self.stack) > NESTING:
            raise BadXml("nested too deeply")
        element = Element(tag)
        self.stack[-1].children.append(element)
        self.stack.append(element)

    def end(self, _tag: str) -> None:
        self.stack.pop()

    def text(self, text: str) -> None:
        self.stack[-1].parts.append(text)

    def doctype(self, *_: object) -> None:
        raise BadXml("a document type is not taken")


def _tree(document: bytes) -> Element:
    builder, parser = _Builder(), ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.text, builder.doctype
    try:
        parser.Parse(document, True)
    except ExpatError as error:
        raise BadXml(str(error)) from None
    return builder.root.children[0]


def _array(element: Element) -> list[Any]:
    data = element.only("data")
    return [_value(child) for child in data.children] if data is not None else []


def _struct(element: Element) -> dict[str, Any]:
    found = {}
    for member in element.children:
        name, value = member.only("name"), member.only("value")
        found[name.text if name is not None else ""] = _value(value) if value is not None else ""
    return found


def _base64(element: Element) -> str:
    return a2b_base64(element.text.encode("ascii")).decode()


READERS: dict[str, Callable[[Element], object]] = {
    "int": lambda element: int(element.text),
    "i4": lambda element: int(element.text),
    "i8": lambda element: int(element.text),
    "boolean": lambda element: element.text.strip() == "1",
    "string": lambda element: element.text,
    "double": lambda element: float(element.text),
    "dateTime.iso8601": lambda element: element.text,
    "base64": _base64,
    "nil": lambda element: None,
    "array": _array,
    "struct": _struct,
}


def _value(element: Element) -> Any:
    if element.tag != "value":
        raise BadXml(f"<{element.tag[:40]}> where a value should be")
    if not element.children:
        return element.text
    inner = element.children[0]
    reader = READERS.get(inner.tag)
    if reader is None:
        raise BadXml(f"<{inner.tag[:40]}> is no type")
    try:
        return reader(inner)
    except (ValueError, Base64Error) as error:
        raise BadXml(f"<{inner.tag}>: {str(error)[:80]}") from None


def _params(element: Element) -> list[Any]:
    params = element.only("params")
    if params is None:
        return []
    return [_value(param.children[0]) for param in params.children if param.children]


def load_call(document: bytes) -> tuple[str, list[Any]]:
    """Method and arguments of a request.  Raises BadXml."""
    root = _tree(document)
    name = root.only("methodName")
    if name is None or not name.text:
        raise BadXml("no method name")
    return name.text, _params(root)


def load_answer(document: bytes) -> Any:
    """The result of a response.  Raises BadXml, or RemoteFault where it is a fault."""
    root = _tree(document)
    fault = root.only("fault")
    if fault is not None and fault.children:
        told = _value(fault.children[0])
        raise RemoteFault(int(told["faultCode"]), str(told["faultString"]))
    found = _params(root)
    if not found:
        raise BadXml("no result")
    return found[0]


def escape(text: str) -> str:
    """As it stands in an element."""
    text = ILLEGAL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def dump_value(value: object) -> str:
    """One value.  Raises TypeError for what XML-RPC does not know."""
    if isinstance(value, bool):
        return f"<value><boolean>{value:d}</boolean></value>\n"
    if isinstance(value, int):
        return f"<value><int>{value:d}</int></value>\n"
    if isinstance(value, float):
        return f"<value><double>{value!r}</double></value>\n"
    if isinstance(value, str):
        return f"<value><string>{escape(value)}</string></value>\n"
    if isinstance(value, (list, tuple)):
        items = "".join(map(dump_value, value))
        return f"<value><array><data>\n{items}</data></array></value>\n"
    if isinstance(value, dict):
        members = "".join(f"<member>\n<name>{escape(k)}</name>\n{dump_value(v)}</member>\n" for k, v in value.items())
        return f"<value><struct>\n{members}</struct></value>\n"
    raise TypeError(f"{type(value).__name__} has no place in XML-RPC")


def _dump_params(values: Sequence[object]) -> str:
    return "<params>\n" + "".join(f"<param>\n{dump_value(value)}</param>\n" for value in values) + "</params>\n"


def dump_call(method: str, args: Sequence[object]) -> bytes:
    """A request."""
    name = f"<methodName>{escape(method)}</methodName>\n"
    return f"{PROLOG}<methodCall>\n{name}{_dump_params(args)}</methodCall>\n".encode()


def dump_result(value: object) -> bytes:
    """A response."""
    return f"{PROLOG}<methodResponse>\n{_dump_params([value])}</methodResponse>\n".encode()


def dump_fault(code: int, text: str) -> bytes:
    """A response that tells of a failure."""
    fault = dump_value({"faultCode": code, "faultString": text})
    return f"{PROLOG}<methodResponse>\n<fault>\n{fault}</fault>\n</methodResponse>\n".encode()
