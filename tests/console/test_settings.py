"""consoled.ini: every problem with its line, and what the address decides by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.__main__ import main
from console.settings import OPTIONS, ConfigError, Settings, read
from wire.keys import ClientKey, KeyPair

ROOT = Path(__file__).parents[2]


class File:
    """A configuration with a key beside it."""

    def __init__(self, folder: Path) -> None:
        pair, hub = KeyPair.generate(), KeyPair.generate()
        ClientKey("console", "admin", "h:7404", "h:7405", hub.public, pair.public, pair.secret).save(
            folder / "key.json"
        )
        self.path, self.head = folder / "consoled.ini", f"[consoled]\nkeys = {folder}/key.json\n"

    def read(self, more: str = "") -> Settings:
        self.path.write_text(self.head + more)
        return read(str(self.path))


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def test_a_public_address_decides_names_cookie_and_path(file: File) -> None:
    auth = file.read("public_url = https://ops.example.org/pidone/\n").auth
    assert "ops.example.org" in auth.allowed_hosts and "evil.org" not in auth.allowed_hosts
    assert auth.secure_cookie and (auth.path, auth.cookie) == ("/pidone", "__Secure-pidone")


def test_without_one_it_is_for_this_machine(file: File) -> None:
    found = file.read()
    assert found.listen == ("127.0.0.1", 7480) and not found.auth.secure_cookie
    assert set(found.auth.allowed_hosts) == {"localhost", "127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("listen = 7480", "must be HOST:PORT"),
        ("public_url = ftp://x", "must be as in"),
        ("port = 1", "unknown option port"),
        ("trusted_proxies = nginx", "no address or network"),
        ("idle_seconds = soon", "must be a time"),
        ("secure_cookie = perhaps", "yes or no"),
        ("tls_cert = a.pem", "go together"),
    ],
)
def test_a_problem_is_told_with_its_line(file: File, line: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match=words) as told:
        file.read(line + "\n")
    number = 1 if "go together" in words else 3
    assert str(told.value).startswith(f"{file.path}:{number}: ")
    assert main(["-c", str(file.path), "--check"]) == 2 and words in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "listen = x", "[hubd]\n", "[consoled]\nlisten\n", "[consoled]\n[consoled]\n"])
def test_what_is_no_configuration(tmp_path: Path, text: str) -> None:
    path = tmp_path / "consoled.ini"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"consoled\.ini:"):
        read(str(path))


def test_a_missing_key_is_told_with_the_command_that_makes_one(tmp_path: Path) -> None:
    path = tmp_path / "consoled.ini"
    path.write_text("[consoled]\nkeys = /nowhere/key.json\n")
    with pytest.raises(ConfigError, match="hubctl keys create"):
        read(str(path))


def test_the_shipped_file_names_every_option(file: File) -> None:
    text = (ROOT / "conf" / "consoled.ini").read_text()
    for option in OPTIONS:
        assert f"\n#{option.name} = {option.default}".rstrip() + "\n" in text, option.name
        assert option.doc in text


def test_options_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--options"]) == 0
    assert all(option.name in capsys.readouterr().out for option in OPTIONS[:1])
