"""The manual's sentences for the topic `logs`."""

from __future__ import annotations

INTRO = (
    "How its output is shown, rotated and masked. A program's prefix, times and JSON are for the container's own "
    "streams (`docker logs`), where they tell programs apart; log files stay as the program wrote them unless "
    "`log_files=true`. Where all programs have JSON lines, or times, initd's own lines have them too. "
    "`initd tail` always shows what the program wrote, except for masked secrets."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "log_prefix": "true, false or a text with `{name}` and `{stream}`",
    "log_timestamps": "utc, local or none",
    "log_format": "text or json",
    "log_mask": "patterns with commas between",
    "logfile_rotate": "daily, hourly, seconds or never",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "log_prefix": "stands before each line, with a blank behind it; true is `{name} \\|`. A line that had to go out in "
    "pieces goes on after `...`",
    "log_timestamps": "the time at which a line was read, in milliseconds, before the prefix. JSON lines have UTC "
    "unless this is set",
    "log_format": "json: each line is an object with ts, program, stream, pid and line; a line that had to go out in "
    'pieces has `"partial":true` in all but the last, one that is not UTF-8 has `"escaped":true`: its bytes are '
    "`\\xNN` and its backslashes doubled",
    "log_files": "log files get the same prefix, times and JSON",
    "log_mask": "secrets that become `***` in every log, in `tail` and in exit records. `password=*` masks the value "
    'in `password=x`, `PASSWORD: x` and `"password": "x"`; `Bearer *` a word, `://*@` what stands between; a text '
    "without `*` masks itself. Upper and lower case are the same",
    "logfile_rotate": "log files are rotated when the day, the hour or that many seconds (counted from 1970) are over, "
    "at the first output after that, beside what *_logfile_maxbytes does; *_logfile_backups says how many are kept",
    "logfile_compress": "rotated files become FILE.1.gz and so on, made by a process of low priority",
}
"""By option."""
