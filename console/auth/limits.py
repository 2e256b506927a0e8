"""Every bound of who may enter, each with its reason.  Not in wire.limits, which PID 1 reads in every container."""

from __future__ import annotations

BODY_BYTES = 16 * 1024
"""Longest body of these routes: a name, a password and a scope of 32 labels fit in 12 KiB."""

NAME_CHARS = 64
"""Longest name of an account: e-mail addresses in use are shorter, and a row of the audit stays readable."""

PASSWORD_LEAST_CHARS = 12
"""Shortest password; with the lockout below, guessing one of random words takes centuries."""

PASSWORD_CHARS = 256
"""Longest password: argon2 reads all of it, and a sentence has 100."""

PASSWORD_KINDS = 5
"""Least number of different characters in a password: `aaaaaaaaaaaa` is none."""

HASHES_AT_A_TIME = 2
"""Passwords hashed beside each other: 64 MiB and about 0.1 s of a core each."""

HASHES_WAITING = 32
"""Logins that may wait for that; beyond, they are told to come again: three seconds of work, 2 KiB each."""

ACCOUNTS = 10_000
"""Most accounts: a whole company; each list of them is some MiB."""

TOKENS_OF_ACCOUNT = 100
"""Most API tokens of one account: a page that a person can still look through."""

TOKEN_SECONDS = 400 * 86400.0
"""Longest life of an API token: renewed once a year, with a month to do it in."""

SCOPE_LABELS = 32
"""Most labels of a scope, as many as an agent has."""

LABEL_CHARS = 128
"""Longest key or value of a scope's label."""

NOTE_CHARS = 200
"""Longest note on a token: what it is for, in a sentence."""

SEEN_SECONDS = 60.0
"""How often a session's last use is written down: once a minute, not at each request."""

SETUP_SECONDS = 86400.0
"""Life of a setup code: a day to open the page; a restart prints a new one."""

OIDC_SECONDS = 600.0
"""How long a person may take at the identity provider: to find the second factor."""

OIDC_ANSWER_SECONDS = 10.0
"""Longest wait for the identity provider, whose answers a person watches a white page for."""

OIDC_ANSWER_BYTES = 1024 * 1024
"""Longest answer of the identity provider: discovery takes 4 KiB, a token with a thousand groups 40."""

FORWARDED_CHARS = 1024
"""Longest X-Forwarded-For: twenty proxies in a row."""

AUDIT_SECONDS = 366 * 86400.0
"""How long rows of the audit are kept, and for how long nobody may delete them: a year."""

AUDIT_ANONYMOUS = 12
"""Rows a minute about those who proved to be nobody; the rest is counted in one: hostile guesses fill no disk."""

AUDIT_TARGETS = 100
"""Targets that a row of the audit names; the rest is counted: a row stays below 16 KiB."""

AUDIT_TEXT_CHARS = 512
"""Longest reason or detail in a row of the audit: a few lines on a screen."""

AUDIT_ROWS = 500
"""Most rows of the audit in one answer: a few screens."""
