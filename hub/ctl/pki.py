"""Certificates for one engine, made by openssl(1): an authority of its own, a server's and a client's.

Theory.  Each engine has its own authority, which signs two certificates and nothing else: a stolen client key opens one
host, and an engine cannot pass for another.  The authority's key stays where it was made (renewing needs it) and is
copied to neither side.  Keys are P-256; files with a secret are 0600 from their first byte, under a umask and inside a
directory of mode 0700.  What openssl says is shown where it fails; nothing goes through a shell.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from hub.errors import HubError
from wire.keys import write_private

OPENSSL_SECONDS = 30.0
AUTHORITY_DAYS = 3650
"""The authority outlives what it signs: renewing must not need a new one on both sides."""
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,62})?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62})?)*", re.ASCII)


class PkiFault(HubError):
    """Certificates could not be made; nothing was left half done."""


def alternative(host: str) -> str:
    """A host as a subjectAltName; raises ValueError for what is neither a name nor an address."""
    try:
        return f"IP:{ip_address(host.strip('[]'))}"
    except ValueError:
        pass
    if len(host) > 253 or NAME.fullmatch(host) is None:
        raise ValueError(f"{host[:80]!r} is no host name or address")
    return f"DNS:{host}"


def openssl(*words: str | Path, text: str = "") -> str:
    """What openssl prints; raises PkiFault with its last words."""
    environ = {"PATH": os.environ.get("PATH", os.defpath), "OPENSSL_CONF": "/dev/null", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["openssl", *map(str, words)],
            input=text,
            capture_output=True,
            text=True,
            env=environ,
            timeout=OPENSSL_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise PkiFault("openssl is not installed: apt-get install openssl") from None
    except subprocess.TimeoutExpired:
        raise PkiFault(f"openssl {words[0]} did not end within {OPENSSL_SECONDS:g} s") from None
    if done.returncode:
        raise PkiFault(f"openssl {words[0]}: {(done.stderr.strip().splitlines() or ['failed'])[-1][:300]}")
    return done.stdout


def make_key(path: Path) -> None:
    """A new private key, PKCS #8."""
    write_private(path, openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))


def make_authority(folder: Path, name: str) -> None:
    """ca-key.pem and ca.pem in this directory."""
    make_key(folder / "ca-key.pem")
    config = (
        "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n"
        f"[dn]\nCN=pidone engine authority of {name[:32]}\n"
        "[ext]\nbasicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
        "subjectKeyIdentifier=hash\n"
    )
    with _scratch(folder) as scratch:
        (Path(scratch) / "ca.cnf").write_text(config)
        words = ("req", "-x509", "-new", "-sha256", "-days", str(AUTHORITY_DAYS), "-config", Path(scratch) / "ca.cnf")
        write_public(folder / "ca.pem", openssl(*words, "-key", folder / "ca-key.pem"))


def issue(folder: Path, owner: str, common: str, days: int, usage: str, hosts: Sequence[str] = ()) -> None:
    """OWNER-key.pem and OWNER.pem, signed by the authority in the directory; `usage` is serverAuth or clientAuth."""
    extensions = f"basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage={usage}\n"
    extensions += f"subjectAltName={','.join(map(alternative, hosts))}\n" if hosts else ""
    with _scratch(folder) as scratch:
        key, request, wish = (Path(scratch) / name for name in ("key.pem", "request.pem", "extensions"))
        make_key(key)
        (Path(scratch) / "request.cnf").write_text(f"[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN={common[:60]}\n")
        words = ("req", "-new", "-sha256", "-config", Path(scratch) / "request.cnf", "-key", key)
        request.write_text(openssl(*words))
        wish.write_text(extensions)
        authority = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca-key.pem", "-set_serial", _serial())
        signed = openssl("x509", "-req", "-sha256", "-in", request, *authority, "-days", str(days), "-extfile", wish)
        os.replace(key, folder / f"{owner}-key.pem")
        write_public(folder / f"{owner}.pem", signed)


def expires(path: Path) -> str:
    """When a certificate ends, as openssl says it."""
    return openssl("x509", "-noout", "-enddate", "-in", path).strip().partition("=")[2]


def write_public(path: Path, text: str) -> None:
    """A file anybody may read."""
    write_private(path, text)
    path.chmod(0o644)


def _serial() -> str:
    return f"0x{int.from_bytes(os.urandom(16), 'big') >> 1:x}"


def _scratch(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A directory of mode 0700 on the same file system."""
    return tempfile.TemporaryDirectory(prefix=".making-", dir=folder)
