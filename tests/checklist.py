"""The hard cases of a PID 1, each with the tests that hold it, or why there is none; see docs/pid1-checklist.md."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """One case: what must hold, tests as `path::name` below tests/ without `.py`, or a reason."""

    must: str
    tests: tuple[str, ...] = ()
    reason: str = ""


SIGNALS = (
    Case(
        "Every documented signal has a handler, because the kernel drops all others for PID 1 of a namespace, "
        "SIGTERM included.",
        (
            "proc/test_as_pid1::test_each_shutdown_signal",
            "initd/test_signals::test_the_daemon_listens_to_what_supervisord_does",
        ),
    ),
    Case(
        "The daemon passes no signal on: one whose default action kills would end programs that PID 1 itself survives. "
        "Around a single command each one arrives, because it was sent to be passed on.",
        (
            "initd/test_signals::test_the_daemon_listens_to_what_supervisord_does",
            "proc/test_single::test_every_signal_is_passed_on",
        ),
    ),
    Case(
        "A program starts with default dispositions for all that Python or initd handles or ignores, and an "
        "empty mask; "
        "around a single command exactly what the caller blocked and ignored arrives.",
        (
            "proc/test_children::test_mask_empty_dispositions_default_and_nothing_but_three_descriptors",
            "proc/test_tini::test_exactly_the_callers_signals_are_blocked_and_ignored",
            "initd/test_spawn::test_what_the_runtime_ignores_beyond_ours_is_passed_on",
        ),
    ),
    Case(
        "A signal between fork and exec never runs our handler in the child, and is not lost for us.",
        ("initd/test_spawn::test_a_signal_during_a_fork_is_kept_for_us",),
    ),
    Case(
        "SIGCHLD may stand for any number of deaths: every reaping goes on until nobody is left, without a cap.",
        (
            "proc/test_reaping::test_five_thousand_orphans_that_die_together",
            "initd/test_loop::test_deaths_come_first_and_once",
        ),
    ),
    Case(
        "A signal ends the wait at once, although Python resumes interrupted system calls.",
        ("initd/test_loop::test_a_signal_ends_the_wait",),
    ),
    Case(
        "Two signals in one pass both count; a second TERM means force; HUP during a shutdown is ignored.",
        (
            "initd/test_loop::test_each_signal_counts_exactly_once",
            "proc/test_as_pid1::test_a_second_term_means_now",
            "proc/test_reload::test_hup_during_a_shutdown_is_ignored",
        ),
    ),
    Case(
        "Job control: terminal stops reach initd and the command together, CONT wakes both, PID 1 never "
        "hangs by ctrl-Z, "
        "and the HUP and CONT that giving up a terminal causes are not passed on.",
        (
            "proc/test_job_control::test_ctrl_z_stops_both_and_fg_brings_them_back",
            "proc/test_job_control::test_ctrl_z_does_not_hang_a_container",
            "proc/test_dumb_init::test_a_suspension_stops_both_and_cont_wakes_both",
            "proc/test_dumb_init::test_the_hang_up_of_the_hand_over_is_not_passed_on",
        ),
    ),
    Case(
        "A stopped program gets CONT with its stop signal; being stopped is not taken for death.",
        (
            "proc/test_as_pid1::test_a_stopped_process_is_woken_to_obey",
            "proc/test_reaping::test_a_stopped_program_has_not_died",
        ),
    ),
    Case(
        "A change of the terminal's size reaches the foreground program only.",
        ("proc/test_single::test_on_a_terminal_the_command_is_in_the_foreground_and_ctrl_c_is_its_own",),
        "The kernel sends SIGWINCH to the foreground group, which the command's is; the daemon has no "
        "terminal business.",
    ),
    Case(
        "Real-time signals: SIGRTMIN+3 halts, as systemd and podman mean it; STOPSIGNAL may be any documented one.",
        ("proc/test_as_pid1::test_each_shutdown_signal",),
    ),
)

PROCESSES = (
    Case(
        "Only one place in PID 1 waits for children, so no status is lost to a library, and no pid of ours is reaped "
        "before it is known.",
        (
            "initd/test_spawn::test_a_failed_start_leaves_no_child_and_no_descriptor",
            "proc/test_reaping::test_all_exit_codes",
        ),
        "subprocess, multiprocessing and os.system are never imported (proc/test_imports).",
    ),
    Case(
        "Adopted orphans are counted, not logged one by one.",
        ("initd/test_supervisor::test_orphans_are_counted_not_logged",),
    ),
    Case(
        "In a PID namespace that belongs to another container initd works, warns, and touches only its own.",
        ("e2e/test_containers::test_in_anothers_pid_namespace_it_warns_and_stops_only_its_own",),
    ),
    Case(
        "Not PID 1: it becomes a subreaper, and says so where the kernel refuses.",
        (
            "proc/test_subreaper::test_an_orphan_becomes_ours_and_is_swept",
            "initd/test_prepare::test_an_orphan_comes_to_its_subreaper",
        ),
    ),
    Case(
        "Nobody forks beside threads: PID 1 has none, and link, which has libzmq's, does not fork.",
        ("proc/test_imports::test_some_modules_never_come_in",),
    ),
    Case(
        "A pid that was reaped is never signalled, even if another process has it by now.",
        (
            "initd/test_supervisor::test_a_process_that_is_gone_already_is_waited_for",
            "proc/test_family::test_a_pid_that_was_given_anew_is_spared",
        ),
    ),
    Case(
        "Stragglers of a group whose leader is gone are found, checked, and ended where the scope says so.",
        (
            "proc/test_family::test_a_group_is_stopped_when_its_last_member_is_gone",
            "proc/test_family::test_a_tree_kills_who_is_deaf",
        ),
    ),
    Case(
        "The group exists before the program's first instruction; a session is given only where it is asked for.",
        (
            "initd/test_spawn::test_it_leads_its_own_group_in_our_session",
            "proc/test_dumb_init::test_the_command_has_the_terminal_and_job_control",
        ),
    ),
    Case(
        "Zombies below a living parent are that parent's: initd neither loops over them nor waits for them.",
        ("initd/test_sweep::test_pid_1_ends_everybody_but_itself_and_the_dead",),
    ),
    Case(
        "A process that even KILL does not end (D state) does not hold up the shutdown for ever.",
        ("initd/test_shutdown::test_a_process_that_kill_cannot_end_does_not_hold_us",),
    ),
    Case(
        "Before PID 1 leaves, everybody has had TERM and time: its exit kills the whole namespace.",
        (
            "proc/test_as_pid1::test_stragglers_are_swept_and_named",
            "proc/test_single::test_what_it_leaves_behind_gets_term_before_the_namespace_ends",
        ),
    ),
    Case(
        "After PID 1's death a fork in the namespace says ENOMEM.",
        reason="Nothing of ours runs then; the message belongs to whoever forked.",
    ),
    Case(
        "No processes or memory left: a failed start with backoff, never an exit.",
        (
            "proc/test_shortages::test_no_processes_left",
            "initd/test_supervisor::test_fork_shortage_backs_off_and_recovers",
            "initd/test_supervisor::test_out_of_memory_in_the_middle_of_a_start_is_a_failed_start",
        ),
    ),
    Case(
        "A failed start names the step and the errno, through a close-on-exec pipe or posix_spawn; 126 and "
        "127 only around "
        "a single command.",
        ("proc/test_children::test_a_failed_start_names_step_and_errno", "proc/test_single::test_what_cannot_be_run"),
    ),
    Case(
        "A file that is being written, and a script whose interpreter is missing, are told apart from a missing file.",
        (
            "initd/test_spawn::test_a_file_that_is_being_written",
            "initd/test_spawn::test_a_missing_interpreter_is_told_apart",
        ),
    ),
    Case(
        "A program that puts itself into the background is noticed, and can be held by its tree.",
        ("proc/test_family::test_a_tree_holds_a_daemon_that_left_group_and_session",),
    ),
    Case(
        "Thousands of deaths at once keep the loop responsive.",
        ("proc/test_reaping::test_five_thousand_orphans_that_die_together",),
    ),
)

OUTPUT = (
    Case(
        "No descriptor of ours reaches a program, and none is looked for up to a limit of 2^30.",
        (
            "proc/test_children::test_mask_empty_dispositions_default_and_nothing_but_three_descriptors",
            "initd/test_prepare::test_inherited_descriptors_end_at_exec",
        ),
    ),
    Case(
        "A grandchild that keeps a pipe open delays nothing; what it writes later still arrives.",
        ("initd/test_output::test_drain_never_waits_for_a_grandchild_and_its_words_still_arrive",),
    ),
    Case(
        "An error of a sink never leaves a program's pipe unread.",
        (
            "initd/test_output::test_a_log_file_that_cannot_be_opened_does_not_stop_the_program",
            "proc/test_shortages::test_a_full_disk",
        ),
    ),
    Case(
        "A reader that stopped, a full disk or a read-only mount costs bounded buffers and counted bytes, "
        "never reaping.",
        (
            "proc/test_shortages::test_a_reader_that_stopped_reading_stops_nobody",
            "initd/logs/test_sink::test_a_full_disk_is_dropped_counted_and_left_alone_for_a_while",
            "initd/logs/test_sink::test_rotation_that_fails_keeps_the_text",
        ),
    ),
    Case(
        "The runtime closing our own stdout or stderr is survived.",
        (
            "initd/test_say::test_a_reader_that_went_away_is_no_error",
            "initd/logs/test_stream::test_a_closed_descriptor_is_survived",
        ),
    ),
    Case(
        "/dev/stdout and its relatives mean the inherited descriptor, so that any user may write to it.",
        ("initd/test_output::test_names_of_the_container_stream_mean_the_inherited_descriptor",),
    ),
    Case(
        "Rotation: no seek on devices, two programs in one file, logrotate's USR2, renames, partial and huge "
        "lines, NUL, "
        "invalid UTF-8, escape sequences.",
        (
            "initd/logs/test_sink::test_a_device_is_never_rotated",
            "initd/test_output::test_two_programs_share_one_file_and_rotate_it_once",
            "initd/logs/test_sink::test_reopen_follows_logrotate",
            "initd/logs/test_sink::test_a_file_that_was_moved_away_is_not_rotated_again",
            "initd/logs/test_shape::test_what_is_not_utf8_is_escaped_so_that_it_can_be_had_back",
            "initd/logs/test_shape::test_huge_lines_come_in_bounded_pieces_of_whole_characters",
            "initd/logs/test_ansi::test_only_whole_sequences_go",
        ),
    ),
    Case(
        "O_NONBLOCK is never set on a descriptor that others share.",
        ("initd/logs/test_stream::test_a_pipe_shared_with_other_writers_does_not_make_a_pen_wait",),
    ),
    Case(
        "Running out of descriptors: a reserve keeps initd reachable, and accepting pauses without spinning.",
        (
            "proc/test_shortages::test_no_descriptors_left",
            "initd/test_listener::test_without_descriptors_accepting_pauses_and_does_not_spin",
        ),
    ),
)

TIME = (
    Case(
        "Every delay is of the monotonic clock; wall time only stamps, and starts jobs, across leaps and summer time.",
        (
            "initd/test_loop::test_a_deadline_is_kept",
            "initd/jobs/test_agenda::test_however_the_clock_jumps_no_run_comes_twice_within_the_rule",
            "initd/jobs/test_cron::test_days_on_which_clocks_change",
        ),
    ),
    Case("With nothing to do PID 1 wakes 0 times.", ("proc/test_idle::test_no_waking_without_a_reason",)),
)

STATUS = (
    Case(
        "128 and the signal's number; a requested stop is 0, whatever the programs end with; several "
        "failures have an order.",
        (
            "proc/test_single::test_death_by_any_signal_is_128_and_its_number",
            "proc/test_policy::test_a_commanded_stop_is_zero",
            "proc/test_policy::test_the_first_failed_one_shot",
            "e2e/test_containers::test_docker_kill_shows_the_commands_death",
        ),
    ),
    Case(
        "An OOM kill is told from a kill -9 by the cgroup's counters, of both versions.",
        (
            "proc/test_oom::test_a_program_that_the_oom_killer_took",
            "proc/test_oom::test_after_an_oom_a_kill_by_hand_is_no_oom",
        ),
    ),
    Case(
        "memory.oom.group=1 kills initd too.",
        reason="Nothing inside can report it; the hub infers it from the missed heartbeats and the engine's OOMKilled.",
    ),
    Case(
        "oom_score_adj can be set for programs, and what is not permitted is said.",
        (
            "initd/limits/test_child::test_nice_and_oom_score_adj",
            "proc/test_limits::test_what_is_not_permitted_is_one_warning_each_and_the_program_runs",
        ),
    ),
)

RUNTIMES = (
    Case(
        "The whole stop fits into docker's 10 s, or what the file or environment says of the runtime's grace.",
        (
            "proc/test_as_pid1::test_the_deaf_are_killed_inside_the_budget",
            "initd/test_shutdown::test_the_stubborn_are_killed_inside_dockers_ten_seconds",
        ),
    ),
    Case(
        "Below another init (docker run --init, init: true) everything works.",
        ("e2e/test_containers::test_below_another_init_it_works_and_does_not_complain",),
    ),
    Case(
        "Any uid without an account, no capabilities, no-new-privileges.",
        (
            "e2e/test_containers::test_nothing_is_writable_nobody_knows_the_user_and_few_calls_are_allowed",
            "initd/test_users::test_a_number_without_an_entry_keeps_our_group_and_no_other",
        ),
    ),
    Case(
        "Read-only root and no writable directory at all: pid file and state are optional, the socket is abstract.",
        ("e2e/test_containers::test_without_a_writable_directory_the_control_socket_is_abstract",),
    ),
    Case("A paused container goes on where it was.", ("e2e/test_containers::test_a_pause_disturbs_nothing",)),
    Case(
        "docker restart keeps files: a stale socket is replaced, a stale pid file of another process is left alone.",
        (
            "e2e/test_images::test_comes_back_after_a_restart",
            "initd/test_listener::test_a_socket_left_over_is_replaced",
            "initd/test_prepare::test_somebody_elses_pidfile_stays",
        ),
    ),
    Case(
        "initd holds no directory, so that mounts can be released.",
        ("proc/test_single::test_the_init_holds_no_directory_and_the_command_keeps_its_own",),
        "The daemon stays where it was started, as supervisord does, unless directory= says otherwise: "
        "relative paths of the file count from there.",
    ),
    Case(
        "A terminal: with and without input, ctrl-C for the foreground group only, hang-up survived.",
        (
            "proc/test_single::test_ctrl_c_arrives_once",
            "proc/test_tini::test_on_a_terminal",
            "initd/test_say::test_a_terminal_nobody_reads_is_not_waited_for",
        ),
    ),
    Case(
        "/proc hidden or not mounted is tolerated by every reader.",
        (
            "proc/test_as_pid1::test_without_proc_it_works_and_sweeps",
            "initd/test_oom::test_without_proc_nothing_is_claimed",
        ),
    ),
    Case(
        "A crash of PID 1 itself (SIGSEGV, SIGABRT) ends the container.",
        (
            "initd/test_loop::test_an_exception_is_said_and_survived",
            "initd/test_loop::test_running_out_of_memory_is_survived",
        ),
        "Only the C code of the interpreter can cause one; every Python exception, MemoryError included, is caught. "
        "The kernel then kills the namespace, and the runtime's restart policy decides.",
    ),
)

CONFIGURATION = (
    Case(
        "A file with errors is status 2 at once, with file and line; at a reload it changes nothing.",
        (
            "proc/test_as_pid1::test_a_broken_file_at_start_is_status_2",
            "proc/test_reload::test_a_file_with_errors_changes_nothing",
        ),
    ),
    Case(
        "A reload leaves unchanged programs alone, stops removed ones, applies a changed environment of all, "
        "and yields to "
        "a shutdown.",
        (
            "proc/test_reload::test_only_what_changed_is_touched",
            "initd/reload/test_diff::test_the_environment_of_all_is_everybodys",
            "initd/reload/test_changeover::test_a_shutdown_ends_it_all",
        ),
    ),
)

AREAS = {
    "Signals": SIGNALS,
    "Processes": PROCESSES,
    "Descriptors and logs": OUTPUT,
    "Time": TIME,
    "Exit status": STATUS,
    "Runtimes": RUNTIMES,
    "Configuration": CONFIGURATION,
}
