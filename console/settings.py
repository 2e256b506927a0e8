"""consoled's configuration: an INI file with one section; all problems are told at once, as file:line."""

from __future__ import annotations

import configparser
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from console.auth.settings import AuthSettings
from wire.keys import ClientKey, KeyFault

__all__ = ["OPTIONS", "ConfigError", "Settings", "read"]


class ConfigError(Exception):
    """All problems of a file, one a line."""


class Option(NamedTuple):
    """One option: what makes a value of its text (or raises ValueError), its default, and what it means."""

    name: str
    parse: Callable[[str], Any]
    default: str
    doc: str


class Settings(NamedTuple):
    """What consoled runs with."""

    listen: tuple[str, int]
    keys: tuple[ClientKey, ...]
    auth: AuthSettings
    tls_cert: str
    tls_key: str


def _listen(text: str) -> tuple[str, int]:
    host, _, number = text.rpartition(":")
    if not host or not number.isdecimal() or not 0 < int(number) < 65536:
        raise ValueError("must be HOST:PORT, e.g. 127.0.0.1:7480 (IPv6 goes into brackets)")
    return host.strip("[]"), int(number)


def _keys(text: str) -> tuple[ClientKey, ...]:
    try:
        return tuple(ClientKey.load(path) for path in _words(text))
    except (OSError, KeyFault) as fault:
        raise ValueError(f"{fault}; hubctl keys create console --role admin --out FILE makes one") from None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _networks(text: str) -> tuple[str, ...]:
    for word in _words(text):
        try:
            ipaddress.ip_network(word, strict=False)
        except ValueError:
            raise ValueError(f"{word!r} is no address or network, e.g. 10.0.0.0/8") from None
    return _words(text)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
        raise ValueError("must be as in https://ops.example.org or https://ops.example.org/pidone")
    return text.rstrip("/")


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    if not number.isdecimal() or int(number) == 0:
        raise ValueError("must be a time, e.g. 30m, 12h, 7d")
    return float(int(number) * units[unit])


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return text == "yes"


OPTIONS = (
    Option("listen", _listen, "127.0.0.1:7480", "address and port; put a proxy with TLS in front, or set tls_cert"),
    Option(
        "keys", _keys, "/etc/pidone/console.json", "key files of this console, one for each hub that it begins with"
    ),
    Option("public_url", _url, "", "how browsers reach it, with the path where it lies below one"),
    Option("allowed_hosts", _words, "", "names it may be asked by; without any, public_url's and this machine's own"),
    Option("trusted_proxies", _networks, "", "networks whose X-Forwarded-For counts"),
    Option(
        "store",
        str,
        "sqlite:/var/lib/pidone-console/access.db",
        "accounts and sessions; redis://... where consoles share",
    ),
    Option("redis_user", str, "", "user of that Redis"),
    Option("redis_password_file", str, "", "file with its password"),
    Option("redis_tls_ca", str, "", "authority of its certificate (rediss://)"),
    Option("session_seconds", _seconds, "12h", "longest life of a login"),
    Option("idle_seconds", _seconds, "2h", "a login that nobody used for so long is over"),
    Option("secure_cookie", _yes, "", "no only where it is tried without TLS on this machine; public_url says it else"),
    Option("tls_cert", str, "", "certificate, to serve https without a proxy"),
    Option("tls_key", str, "", "its key"),
)
"""Section [consoled]."""


def read(path: str) -> Settings:
    """The settings of a file; raises ConfigError with every problem."""
    lines, problems = _lines(path), list[str]()
    values: dict[str, Any] = {}
    for name in lines.keys() - {option.name for option in OPTIONS}:
        problems.append(
            f"{path}:{lines[name][0]}: unknown option {name[:60]}; known: {', '.join(o.name for o in OPTIONS)}"
        )
    for option in OPTIONS:
        number, text = lines.get(option.name, (1, option.default))
        try:
            values[option.name] = (
                option.parse(text) if text or option.default else option.parse("") if option.parse is not _yes else None
            )
        except ValueError as error:
            problems.append(f"{path}:{number}: {option.name}: {error}")
    if not problems and bool(values["tls_cert"]) != bool(values["tls_key"]):
        problems.append(f"{path}:1: tls_cert and tls_key go together")
    if problems:
        raise ConfigError("\n".join(problems))
    return _settings(values)


def _settings(values: dict[str, Any]) -> Settings:
    url, (host, _) = values["public_url"], values["listen"]
    own = {urlsplit(url).hostname or "", host, "localhost", "127.0.0.1", "::1"} - {"", "0.0.0.0", "::"}
    secure = values["secure_cookie"]
    auth = AuthSettings(
        **{name: values[name] for name in AuthSettings._fields if name in values and values[name] not in (None, ())},
    )._replace(
        allowed_hosts=values["allowed_hosts"] or tuple(sorted(own)),
        secure_cookie=bool(values["tls_cert"]) or url.startswith("https:") if secure is None else secure,
    )
    return Settings(values["listen"], values["keys"], auth, values["tls_cert"], values["tls_key"])


def _lines(path: str) -> dict[str, tuple[int, str]]:
    """Option -> number of its line, value; raises ConfigError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}:1: cannot be read: {error}") from None
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=None, comment_prefixes=("#", ";"))
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ConfigError(f"{path}:{getattr(error, 'lineno', 1)}: {str(error).splitlines()[0]}") from None
    if parser.sections() != ["consoled"]:
        raise ConfigError(f"{path}:1: there is to be one section, [consoled]")
    numbers = {line.partition("=")[0].strip().lower(): n for n, line in enumerate(text.splitlines(), 1) if "=" in line}
    return {name: (numbers.get(name, 1), value.strip()) for name, value in parser["consoled"].items()}
