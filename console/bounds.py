"""Every bound of the console beside those of console.auth.limits, each with its reason."""

from __future__ import annotations

QUESTIONS_AT_A_TIME = 8
"""Threads that ask hubs: each waits for an answer most of the time, and a hub serves them one after the other."""

QUESTIONS_WAITING = 256
"""Questions that may wait: at 5 ms each, a second."""

HUB_SECONDS = 2.0
"""Longest wait for one hub where there are others."""

LOOK_SECONDS = 1.0
"""Between two looks whether a hub answers: a page says within two seconds that none does."""

LEARN_SECONDS = 30.0
"""Between two questions for the other hubs."""

FEED_SECONDS = 60.0
"""After so long the feed is dialled anew, in case its hub was left for another."""

FEED_ITEMS = 1000
"""Items that wait for one reader; beyond, they are dropped, and rows are read anew."""

BODY_BYTES = 64 * 1024
"""Longest body of a command: a thousand targets of 60 characters."""

ROWS = 1000
"""Most rows of one answer: half a megabyte."""

WORD_CHARS = 512
"""Longest parameter of a query."""

FRESH_SECONDS = 2.0
"""Between two readings of the fleet's rows while somebody looks and nothing happens: figures come every 5 s."""

SOON_SECONDS = 0.1
"""After a change, so long is waited for others: a restart is three changes."""

PICTURES = 64
"""Views of different rights that are kept at a time; each holds the rows of its part of the fleet."""

STREAMS = 2000
"""Open pages; each is a descriptor and a few kilobytes."""

PATCHES = 64
"""Patches that wait for a slow page; beyond, it gets a snapshot."""

STREAM_SECONDS = 15.0
"""Between two signs of life on a stream: proxies cut what is silent for a minute."""
