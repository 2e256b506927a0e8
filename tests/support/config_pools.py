"""Texts that options may have: good ones by type and by option, for the strategies of tests.support.configs."""

from __future__ import annotations

from collections.abc import Sequence

from initd.config.pools import EVENTS

ENVIRON = {
    "NUM": "7",
    "BOOL": "true",
    "SIZE": "10MB",
    "WORD": "blue",
    "SPACED": "a b",
    "PERCENT": "50%",
    "EMPTY": "",
    "USER_NAME": "nobody",
    "NAMED": "%(here)s",
    "QUOTED": 'say "hi"',
}
ODD = "[]=:;#%()'\"\n\t ,\\$&*~{}é\r\x0c\x1fabS0"
"""Characters that one of the readers might treat specially; used to damage good files."""

POOLS: dict[str, Sequence[str]] = {
    "integer": ("0", "1", "2", "10", "-1", "+5", "1_0", "%(ENV_NUM)s", "007"),
    "boolean": ("true", "false", "YES", "no", "On", "off", "1", "0", "%(ENV_BOOL)s"),
    "size": ("0", "1024", "1KB", "50MB", "1 GB", "2mb", "-1", "%(ENV_SIZE)s", "1_0kb"),
    "octal": ("022", "0o22", "777", "0", "07", "-1"),
    "signal": ("TERM", "int", "SIGQUIT", "9", "hup", "usr1", "0", "64", "_DFL", "sigkill", "RTMIN"),
    "exitcodes": ("0", "0,2", " 1 , 255", "", "0,0", "%(ENV_NUM)s"),
    "autorestart": ("true", "false", "unexpected", "UNEXPECTED", "1", "off", "%(ENV_BOOL)s"),
    "level": ("info", "DEBUG", "warn", "critical", "blather", "trace", "error"),
    "user": ("root", "nobody", "0", "daemon", "%(ENV_USER_NAME)s"),
    "path": ("/tmp/x.log", "x.log", "%(here)s/x.log", "/dev/null", "~/x", "/tmp/%(ENV_WORD)s", "syslog"),
    "file": ("/tmp/s.sock", "%(here)s/s.sock", "s.sock", "~/../s", "/tmp//x/../s"),
    "directory": ("/tmp", "/", "%(here)s", "~"),
    "name": ("%(program_name)s", "%(program_name)s_%(process_num)02d", "p", "x%(process_num)d",
        "%(group_name)s-%(process_num)s"),
    "serverurl": ("AUTO", "auto ", "unix:///tmp/x.sock", "http://%(host_node_name)s:9001", ""),
    "logfile": (
        "AUTO", "auto", "NONE", "off", "syslog", "/dev/stdout", "/dev/fd/1", "x.log", "", "~/x.log",
        "/tmp/%(program_name)s.log", "/tmp/%(group_name)s-%(process_num)02d.log", "/tmp/%%%%.log",
        "/tmp/%%(program_name)s",
        "/tmp/%(ENV_WORD)s", "%(here)s/%(ENV_OWN)s.log", "/tmp/%(ENV_NAMED)s",
    ),
    "environment": (
        "", 'A="1"', "A=1,B=2", 'OWN="own"', "OWN=own,X='a b'", 'A="%(ENV_WORD)s"', 'A="%(process_num)d"',
        "A=a b", "A=$H",
        "A=50%%", "A=x;B=2", "A=a#b", "A=1,", 'A=""', "A = 1 , B = 2", 'P="%(program_name)s/%(here)s"', "A='x\"y'",
        'K%(process_num)s="v",OWN=o', 'A="1". B=2', "A=/usr/bin:/bin", 'A="x,y"', "A=1,\n B=2", "A=é", '"A"=1',
        'A=a"b c"',
    ),
}  # fmt: skip
TEXTS: dict[str, Sequence[str]] = {
    "program.command": (
        "/bin/true", "sleep %(numprocs)d", "cat %(here)s/%(program_name)s", 'sh -c "echo; exit"',
        "sh -c 'a\\'", "", '"open',
        "run %(process_num)02d of %(numprocs)s", "%(ENV_WORD)s --x", "nginx -g 'daemon off;'", "date +%%Y", "echo %s",
        'sh -c "a ; b"', "a\\ b \\\\ 'c' \"d\\\"e\\n\"", "a 'b' \"c\"d", "%(group_name)s@%(host_node_name)s",
        "x%(ENV_SPACED)s",
        "%(ENV_OWN)s", "one\n  two\n\n  three", "tail\\", "a\u00a0b \u00e9", "%(process_num)5s|%(program_name).2s",
        "%(ENV_K0)s", "%(ENV_GLOBAL)s",
    ),
    "program.directory": ("/tmp", "/no/such", "%(here)s", "/srv/%(process_num)d", "%(ENV_OWN)s", "~", ""),
    "supervisord.identifier": ("supervisor", "me", "%(here)s", "%(ENV_WORD)s"),
    "supervisord.environment": ("", 'GLOBAL="g"', "GLOBAL=g,WORD=red", 'A="%(here)s"', "A=%%%%",
        'H="%%(host_node_name)s"'),
    "eventlistener.events": ("TICK_5", "process_state_exited, TICK_60", "EVENT", *sorted(EVENTS)[:9]),
    "eventlistener.result_handler": ("supervisor.dispatchers:default_handler", "my.module:handler"),
    "fcgi-program.socket": ("unix:///tmp/%(program_name)s.sock", "unix:///tmp//x/../s", "unix:///%(here)s/s"),
    "fcgi-program.socket_owner": ("root", "nobody", "0", "root:root", "nobody:0"),
    "fcgi-program.socket_backlog": ("1", "128", "65535"),
    "eventlistener.buffer_size": ("1", "10", "%(ENV_NUM)s"),
    "unix_http_server.chown": ("root", "nobody", "0", "daemon:root", "0:0"),
    "inet_http_server.port": ("9001", "*:9001", "127.0.0.1:9001", ":9001", "LOCALHOST:80", "%(ENV_NUM)s", "::1:65535"),
    "rpcinterface.supervisor.rpcinterface_factory": ("supervisor.rpcinterface:make_main_rpcinterface",),
    "initd.remote": ("observe", "operate"),
    "initd.shutdown_budget": ("9", "2.5"),
}  # fmt: skip
RARE = ("%(ENV_OWN)s", "%(ENV_K0)s", "%(ENV_GLOBAL)s", "%(ENV_NAMED)s", "%s")
"""Texts that are refused unless something else is there: kept out of most files."""
