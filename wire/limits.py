"""Every bound of pidone in one place, each with its reason.

A bound protects memory, time or a person's eyes from hostile or broken input.  Standard library only.
"""

MESSAGE_BYTES = 256 * 1024
"""Largest ZeroMQ frame on 7401, 7402, 7404, 7405: a roster of 2,000 processes is about 160 KiB."""

ENROL_BYTES = 4 * 1024
"""Largest frame on the enrolment port, where unknown keys may speak: a token and names fit in 1 KiB."""

FRAMES = 8
"""Most frames of one message: envelope, topic, payload; more is refused at once."""

DEPTH = 8
"""Deepest nesting of a message: our deepest (reply, result, row, exit record, rusage) is 6."""

NAME_CHARS = 128
"""Longest program, group or agent name: one column of a terminal table."""

CONTROL_REQUEST_BYTES = 64 * 1024
"""Longest request line on the control socket: a start of 400 long names fits."""

CONTROL_REPLY_BYTES = 1024 * 1024
"""Longest reply line: the status of 1,000 processes is about 400 KiB."""

CONTROL_CLIENTS = 64
"""Most connections to the control socket; each may hold a request buffer."""

RING_BYTES = 16 * 1024
"""Ring behind `tail`, a stream: 200 lines, and 1,000 streams stay at 16 MiB."""

DRAIN_BYTES = 256 * 1024
"""Most bytes read from a dead process's pipe before its exit record is written: all that a loud one's pipe holds."""

LAST_LINES = 10
"""Lines of output in an exit record: what fits on a screen beside the rest of it."""

LAST_LINE_BYTES = 512
"""Longest of these lines."""

FACTS = 4096
"""Facts PID 1 keeps for replay: an hour of a program that crashes each second; about 4 MiB."""

FACTS_PER_MESSAGE = 32
"""Most facts in one replay message: 32 exit records with full last lines are 170 KiB; see FACTS_BYTES."""

FACTS_BYTES = 192 * 1024
"""Most bytes of facts in one replay message, so that it stays below MESSAGE_BYTES; one fact is never larger."""

COMMAND_RESULTS = 256
"""Commands under way, or with a whole result, that PID 1 remembers; of those that ended before, the outcome is left."""

COMMAND_SECONDS = 3600.0
"""Longest deadline of a command."""

TEXT_CHARS = 512
"""Longest free text in a message (a reason, an error, an actor): a few lines on a terminal."""

PATH_CHARS = 1024
"""Longest path of a mount that is reported; PATH_MAX is 4096, but no sane mount point comes near."""

PROCESSES = 2000
"""Most processes in a roster: with 100 programs it stays below MESSAGE_BYTES; the rest is counted, not listed."""

PROGRAMS = 1000
"""Most programs in a roster."""

MOUNTS = 64
"""Most mounts in a roster."""

COLUMNS = 64
"""Most columns of a sample; today there are 9 and 14."""

HUBS = 16
"""Most hubs in a join string or in a list of hubs."""

LABELS = 32
"""Most labels of an agent."""

ADDRESSES = 16
"""Most network addresses an agent reports."""

ENVELOPE_BYTES = 256
"""Longest frame of an envelope: libzmq's routing ids have at most 255 bytes."""

JOIN_CHARS = 4096
"""Longest join string: 16 hub addresses take about 1 KiB."""

STORE_QUEUE = 16384
"""Calls that may wait for the store's thread: a storm of 10,000 agents, each with one replay and one roster."""

KEPT_ROWS = 20_000
"""Tokens, and revocations, that a hub remembers to put back: two for each of 10,000 agents, some 10 MiB at most."""

STORE_FRAME_BYTES = 256 * 1024 * 1024
"""Largest row of an exported store: ten minutes of 2,000 processes at 1 Hz are 60 MB."""

READ_BYTES = 64 * 1024
"""Read from a program's pipe in one turn of the loop: all that the default pipe holds, so that none starves another."""

TURN_READS = 4
"""Reads of one pipe in a turn of the loop while no other has anything: a fraction of a millisecond for nobody else."""

WIDE_PIPE_BYTES = 256 * 1024
"""Room of a loud program's pipe, and of the container's once that was full: at 64 KiB all wake each other always."""

WIDE_PIPES = 16
"""Programs whose pipes are wide at a time: 4 MiB of the 64 MiB from which on a user's new pipes are tiny (pipe(7))."""

LOUD_BYTES = 32 * 1024
"""A read of as many bytes says that its program is loud: more will come, and is read into a buffer that is kept."""

OUTPUT_BUFFER_BYTES = 1024 * 1024
"""Waiting for one slow reader of the container's stdout or of a fifo: a second of a loud program, then dropped."""

PARTIAL_LINE_BYTES = 16 * 1024
"""Longest unfinished line held back so that lines of two programs do not mix; engines cut lines at this length too."""

PARTIAL_LINE_SECONDS = 0.25
"""Longest time an unfinished line is held back: a prompt still appears at once to the eye."""

LINGERING_PIPES = 8
"""Pipes of earlier runs of one process that surviving grandchildren may hold open; beyond, the oldest is closed."""

SINK_RETRY_SECONDS = 5.0
"""Pause before a sink that failed (full disk, reader gone) is tried again, and only if there is something to write."""

NOTE_CHARS = 300
"""Longest line initd itself says about output."""

ENGINE_ANSWER_BYTES = 1024 * 1024
"""Longest answer of a Docker engine about one thing: a container with a wordy health check takes about 30 KiB."""

ENGINE_LIST_BYTES = 32 * 1024 * 1024
"""Longest list of containers: 4,096 of them at 2-4 KiB, with room for long labels."""

ENGINE_LINE_BYTES = 64 * 1024
"""Longest line of an engine's event or statistics stream; a sample is about 3 KiB."""

ENGINE_CONTAINERS = 4096
"""Most containers of one engine that are shown; engines become slow well before."""

ENGINE_LABELS = 64
"""Most labels of one container; compose and its image together set about 20."""

LABEL_KEY_CHARS = 128
"""Longest key of a container's label."""

LABEL_CHARS = 256
"""Longest value of a container's label; longer ones are left out, since a shortened one could match by mistake."""

ENGINE_POLLS = 5
"""Most statistics requests in flight at one engine: what peers use, and one slow container cannot fill them."""

ENGINE_POLL_SECONDS = 2.0
"""Time-out of a short request to an engine; a healthy one answers in 1-20 ms, engines before 25 within 1-2 s."""

ENGINE_LIST_SECONDS = 4.0
"""Time-out of a list: 3-11 ms for 50 containers on an idle engine; an engine beyond it is reported as not answering."""

ENGINE_STREAMS = 256
"""Most statistics streams open at one engine before 25, a thread and an fd each; its other containers are polled."""

ENGINE_ORDERS = 8
"""Most orders in flight at one engine; a stop may take its whole grace period."""

ENGINE_ORDER_QUEUE = 256
"""Most orders waiting for one engine: a bulk command for a full host."""

ENGINE_EVENTS = 200
"""Most events a second that are read from one engine: a host that restarts 40 containers a second makes as many."""

ANSWER_BYTES = 16 * 1024 * 1024
"""Largest answer on 7404: the processes of 1,000 agents in one table; only a client's own hub may send it."""

CONFIG_BYTES = 4 * 1024 * 1024
"""Largest configuration file: 20,000 programs fit; beyond it the path is wrong (a log, a device)."""

PROGRAM_PROCESSES = 10_000
"""Largest numprocs: more processes than one container's pids limit ever allows."""

COMMAND_ID_CHARS = 128
"""Longest id of a command or request, and longest name of an actor: a UUID has 36, an OIDC subject up to 100."""

KEEP_KEYS = 16
"""Things PID 1 keeps for link between two of its lives: key pair, agent id, hubs and the like."""

KEEP_BYTES = 16 * 1024
"""Longest of these: 16 hubs with keys take about 4 KiB."""

EVENTS_SHOWN = 50
"""Facts that `events` and `exits` show where nothing else is asked for: a screen or two."""

WAIT_SECONDS = 30.0
"""How long the verbs wait for a start or stop where the person does not say: three times the default stopwaitsecs."""

STREAM_BYTES = 256 * 1024
"""Queued for one slow reader of a stream on the control socket; beyond, items are left out and a gap is told."""

CLIENT_SECONDS = 10.0
"""A control client that does not take a byte of its reply for that long is dropped."""

COMMAND_GRACE_SECONDS = 60.0
"""An id is remembered that much longer than its deadline: a repetition may have been long on its way."""

COMMAND_OUTCOMES = 16384
"""Ended commands whose id and outcome PID 1 remembers until their deadline: 180 a second by default; 4 MiB at most."""

NONCE_WINDOW = 1024
"""Commands of one agent that may overtake each other: twice as many as may be in flight to it."""

CONTROL_ASKED = 64
"""Requests of one control client that may wait or stream at a time."""

OUTPUT_WAITING_BYTES = 64 * 1024
"""Waiting for such a reader from which on programs wait, too: what is not read stays uncopied in their own pipes."""

OUTPUT_PAUSE_SECONDS = 1.0
"""Longest time a program waits for a slow reader of the container's streams before its output is dropped instead."""

LEFTOVERS = 8
"""Boots whose untold facts are kept in state_dir: a container that is restarted while its hub is away for an hour."""

LEFTOVER_BYTES = 32 * 1024 * 1024
"""Largest file of them: a full ring of exit records with full last lines."""

ROWS_PER_REPLY = 500
"""Processes in one reply of `details` or `settings`: the longest options stay below CONTROL_REPLY_BYTES."""

LOG_CHUNK_BYTES = 128 * 1024
"""Read from a log file in one turn of PID 1's loop; as JSON at most six times as long, so below CONTROL_REPLY_BYTES."""

RPC_HEAD_BYTES = 16 * 1024
"""Longest head of an HTTP request to the rpc server: browsers send 1 KiB."""

RPC_BODY_BYTES = 1024 * 1024
"""Longest body: a system.multicall of a thousand calls is 300 KiB."""

RPC_DEPTH = 32
"""Deepest nesting of values in an XML-RPC request: system.multicall needs 4."""

RPC_SECONDS = 10.0
"""A request that has begun must be there within that time, and its answer be taken: slow-loris holds a thread."""

RPC_CLIENTS = 48
"""Most connections to the rpc server, a thread each; beyond, the one idle for longest goes.  Below CONTROL_ASKED."""

RPC_LOG_BYTES = 16 * 1024 * 1024
"""Most bytes of a log in one answer, where the client asks for all of it."""

RPC_NAME_CHARS = 512
"""Longest name that the rpc server looks up; longer ones exist nowhere."""

STDIN_BYTES = 256 * 1024
"""Waiting for one program to read its stdin: an event with the largest chunk of output, thrice; beyond, refused."""

STDIN_WRITE_BYTES = 48 * 1024
"""Longest text of one `write`: as JSON it stays below CONTROL_REQUEST_BYTES but for text of escapes alone."""

EVENT_BUFFER_BYTES = 4 * 1024 * 1024
"""Payloads waiting in one pool of event listeners, whatever its buffer_size: 64 full chunks of output."""

EVENT_RESULT_BYTES = 1024 * 1024
"""Longest body of a listener's RESULT: supervisor_stdout sends a whole event back."""

EVENT_LINE_BYTES = 4096
"""Longest RESULT line of a listener, which is 20 bytes from one that keeps the protocol."""

METRICS_CLIENTS = 8
"""Scrapes of `metrics=ADDR` at a time, a thread each: Prometheus in pairs asks twice in 15 s."""

METRICS_SECONDS = 5.0
"""A scrape must be asked for and taken within that time."""

LOG_LINE_BYTES = 15 * 1024
"""Longest piece of a line in one prefixed or JSON line: with its other fields it stays below the 16 KiB of engines."""

LOG_BLOCK_BYTES = 24 * 1024
"""Text that is masked or shaped in one go: for more, malloc takes and returns pages each time, three times as slow."""

LOG_MASKS = 32
"""Most patterns of log_mask of one program: each is one search through everything it says."""

LOG_MASK_CHARS = 128
"""Longest pattern of log_mask: the text before a secret, not the secret."""

LOG_PREFIX_CHARS = 128
"""Longest log_prefix, which stands before each line."""

CAPTURE_BYTES = 16 * 1024 * 1024
"""Most bytes kept between the tokens of capture mode, whatever *_capture_maxbytes says: a program may never end it."""

SYSLOG_LINE_BYTES = 8 * 1024
"""Longest message to syslog, rsyslog's own default; a longer line goes in pieces."""

LOG_READ_BYTES = 256 * 1024
"""Most bytes of a log in one answer; who wants more asks again from where the answer ends."""

ARCHIVES_WAITING = 64
"""Rotated files that may wait for compression, one being compressed at a time; more stay as they are."""

PROBE_PATTERN_CHARS = 256
"""Longest pattern of a readiness line: a sentence; matching costs pattern times line at worst."""

PROBE_LINE_BYTES = 4096
"""How much of a line a pattern is held against; a program that says it is ready does not need more."""

PROBE_ANSWER_BYTES = 4096
"""Most bytes read of an HTTP probe's answer: the status line stands at its beginning."""

PROBE_WORDS_BYTES = 1024
"""What is kept of the output of an exec probe, to say why it failed."""

NOTIFY_BYTES = 4096
"""Longest sd_notify message; systemd takes as much."""

NOTIFY_EXTENSION_SECONDS = 3600.0
"""Longest single extension that EXTEND_TIMEOUT_USEC may ask for: a hung program may not ask for ever."""

DEPENDENCIES = 256
"""Most dependencies of one program: more than anybody can read, and each start asks all of them."""

RENEWAL_FILES = 1024
"""Most files that one program's restart_on_change watches: a look costs a stat each, about 2 ms in all."""

RENEWAL_GLOBS = 32
"""Most patterns of one restart_on_change."""

AGAIN_AFTER_FATAL_SECONDS = 30.0
"""Pause of on_fatal=restart: what start retries could not cure takes longer than these."""

SCHEDULE_RECHECK_SECONDS = 60.0
"""How often a schedule is held against the wall clock where the kernel does not tell that the clock was set."""

SCHEDULE_CHARS = 256
"""Longest schedule expression."""

CLOCK_BACK_SECONDS = 3 * 3600.0
"""A clock set back by less repeats no run of a schedule (cron's rule); one set back by more starts anew."""

PROBLEMS_TOLD = 20
"""Errors of a file, or names, listed in one refusal: a screen."""

STDIN_CHUNK_CHARS = 4096
"""Text of one request to a program's stdin: as JSON it stays below CONTROL_REQUEST_BYTES, whatever the characters."""

ENV_FILE_BYTES = 1 << 20
"""An env_file; execve takes 2 MiB of arguments and environment by default (a quarter of the stack, execve(2))."""

SECRET_BYTES = 128 << 10
"""The file of a secret; execve takes no longer variable (MAX_ARG_STRLEN)."""

STOP_SIGNALS = 8
"""Signals of one stop, in turn: more is no plan."""

CRASH_LOOP_EXITS = 1000
"""Exits that a crash loop counts: each is a number kept for the program."""

LOGS_BYTES = 2 * 1024
"""What `logs` shows of the end of each stream at first: about twenty lines."""

NEWS_KEPT = 1000
"""Changes that a part of PID 1 failed to take in and is told again: what a storm of 200 programs makes at once."""

RELAY_PARTS = 64
"""Most parts of one list from a relay: 4,096 containers of 2-4 KiB, in messages of MESSAGE_BYTES."""

RELAY_PART_BYTES = 160 * 1024
"""A part of a list is closed at this size: one more row, of 64 labels at their longest, still fits MESSAGE_BYTES."""

RELAY_SAMPLES = 500
"""Most container samples in one message of a relay: 100 KiB."""

RELAY_EVENTS = 1000
"""Events a relay keeps while its hub does not read; older ones go: its next list tells what became of everything."""

RELAY_RESULTS = 256
"""Results of orders a relay keeps until the hub has them, and orders a hub keeps until a relay has answered."""

FOLLOWERS = 500
"""Connections that follow the feed by the client port: each item is judged for each of them."""

FOLLOWERS_OF_KEY = 32
"""The same of one key: a person's terminals, and no more of a hostile one."""

FOLLOWED_TOPICS = 64
"""Topics of one follower: each item is compared with all of them."""

FOLLOW_SECONDS = 60.0
"""Longest time a follower lasts without asking again: who went is told to for so long."""

BACKLOG_BYTES = 2 * 1024 * 1024
"""Samples that link keeps while it is cut off: 40 minutes of 60 processes, seven of 500; beyond, every second goes."""

BACKLOG_SECONDS = 2400.0
"""Oldest sample that link still tells: hubs keep raw samples for an hour, and take late ones as long as they do."""

BACKLOG_SENT = 60
"""Samples of which link does not know whether they arrived: a minute of a watched agent."""
