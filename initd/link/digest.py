"""SHA-256 by the interpreter itself: for one digest in its life, hashlib would map a megabyte of OpenSSL into link."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # Python 3.12 on
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:  # built without its own digests
            from hashlib import sha256

__all__ = ["sha256"]
