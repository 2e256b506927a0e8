"""hubctl keys backup and restore: they work on the hub's state_dir, beside a running hub or for one that is gone.

Nothing secret passes the network: who may back the keys up is who may read the directory.  Restoring never overwrites
a key; into a store that is still there it puts only what is missing, so a revocation since the backup stays one.
"""

from __future__ import annotations

import getpass
import os
import time
from argparse import Namespace
from pathlib import Path

from hub.ctl.tables import print_json
from hub.store.base import Store
from hub.store.chained import chained
from hub.store.offline import facts_file, trust_rows
from hub.store.rows import AuditRow, Retention
from hub.trust.escrow import FILE_BYTES, EscrowFault, Saved, check_passphrase, seal, unseal
from wire.keys import write_private

STATE_DIR = "/var/lib/pidone"
KEPT = ("keys/hub.id", "keys/*.json", "client/admin.json")
"""Which files of state_dir are the hub's identity."""


def alone(options: Namespace) -> int | None:
    """keys backup | restore; None for what the hub does."""
    verbs = {"backup": backup, "restore": restore}
    return verbs[options.action](options) if options.action in verbs else None


def backup(options: Namespace) -> int:
    """Writes the encrypted file, mode 0600."""
    path, state = Path(options.file), Path(options.state_dir)
    if path.exists():
        raise EscrowFault(f"{path} exists; choose another name, a backup is never overwritten")
    saved = collect(state, time.time())
    data = seal(saved, _passphrase(options, twice=True))
    _write(path, data)
    agents = sum(1 for row in saved.keys if row.kind == "agent" and row.revoked_at is None)
    words = f"{path}: keys of {saved.hub}, {len(saved.tokens)} tokens, keys of {agents} agents"
    told = {"file": str(path), "hub": saved.hub, "tokens": len(saved.tokens), "keys": len(saved.keys)}
    return _said(options, told, f"{words}; back up again after changes, and keep the passphrase elsewhere")


def restore(options: Namespace) -> int:
    """Makes the hub that was backed up out of an empty state_dir."""
    path, state = Path(options.file), Path(options.state_dir)
    _refuse_keys(state)
    with path.open("rb") as file:
        saved = unseal(file.read(FILE_BYTES), _passphrase(options))
    place(saved, state, time.time())
    told = {"state_dir": str(state), "hub": saved.hub, "tokens": len(saved.tokens), "keys": len(saved.keys)}
    return _said(options, told, f"{state}: {saved.hub} as it was; start hubd, its agents come back by themselves")


def collect(state: Path, at: float) -> Saved:
    """What is to be saved of this state_dir; raises OSError, StoreError, EscrowFault."""
    files = {str(p.relative_to(state)): p.read_text("utf-8") for one in KEPT for p in sorted(state.glob(one))}
    if not {"keys/hub.json", "keys/fleet.json", "keys/hub.id"} <= set(files):
        raise EscrowFault(f"{state} holds no hub's keys; name its state_dir with --state-dir")
    tokens, keys, epoch = trust_rows(state) if facts_file(state).exists() else ((), (), 0)
    return Saved(at, files["keys/hub.id"].strip(), files, tokens, keys, epoch)


def place(saved: Saved, state: Path, at: float) -> None:
    """Writes it all: the store first, the keys last, so that what was interrupted can be begun again."""
    _refuse_keys(state)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep = Retention().audit
    from hub.store.embedded import Embedded  # with numpy, which no other verb waits for

    store = chained(Embedded(str(state / "store"), retention=Retention(facts=keep, audit=keep)), keep)
    try:
        _place_rows(saved, store, at)
    finally:
        store.close(at)
    for name, text in sorted(saved.files.items(), key=lambda item: item[0] == "keys/hub.json"):
        target = state / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(target, text)


def _place_rows(saved: Saved, store: Store, at: float) -> None:
    with store.batch():
        for token in saved.tokens:
            if store.token(token.id) is None:
                store.put_token(token)
        for key in saved.keys:
            if store.key(key.public) is None:
                store.put_key(key)
        if saved.epoch > store.epoch():
            store.next_epoch(saved.epoch - 1)
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(saved.at))
        store.append_audit(AuditRow(at, "local", "keys restore", saved.hub, "done", f"backup of {made}"))


def _refuse_keys(state: Path) -> None:
    if (state / "keys" / "hub.json").exists() or (state / "keys" / "fleet.json").exists():
        raise EscrowFault(f"{state} holds a hub's keys already; restore into an empty directory")


def _passphrase(options: Namespace, twice: bool = False) -> str:
    """From the file that was named, else typed without an echo."""
    if options.passphrase_file:
        text = Path(options.passphrase_file).read_text("utf-8").splitlines()
        return check_passphrase(text[0] if text else "")
    first = check_passphrase(getpass.getpass("passphrase: "))
    if twice and getpass.getpass("again: ") != first:
        raise EscrowFault("the two passphrases differ")
    return first


def _write(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _said(options: Namespace, told: dict[str, object], words: str) -> int:
    if options.json:
        print_json(told)
    else:
        print(words)
    return 0
