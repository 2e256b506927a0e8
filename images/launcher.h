/* What both launchers share: the names a command may be called by, and the environment handed over byte for byte.
 *
 * images/launcher.c starts the bundle's Python, images/installed.c the one that pip installed us for.
 */
#ifndef PIDONE_LAUNCHER_H
#define PIDONE_LAUNCHER_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

/* Each read of a program's output, 64 KB, else gives the end of the heap back and faults it in again: an eighth of
 * PID 1's work for a loud program (bench/init_relay.py). */
#define TUNABLES "GLIBC_TUNABLES=glibc.malloc.trim_threshold=1048576:glibc.malloc.mmap_threshold=1048576"

/* No locale's files are read: a millisecond.  Python is told -X utf8, which every file name and text can be read as. */
#define LOCALE "LC_ALL=C"

struct command { const char *name, *flags, *script, *module, *called; };
#define DAEMON "-IS", "initd/__main__.py", NULL
static const struct command commands[] = {
    {"initd", DAEMON, NULL},
    {"initd-link", "-I", "initd/prefix.py", "initd.link", NULL},
    {"initd-rpc", "-IS", "initd/prefix.py", "initd.compat.rpc", NULL},
    {"initd-metrics", "-IS", "initd/prefix.py", "initd.ctl.scrape", NULL},
    {"initd-compress", "-IS", "initd/prefix.py", "initd.logs.compress", NULL},
    {"hubd", "-I", "initd/prefix.py", "hub", NULL},
    {"hubctl", "-I", "initd/prefix.py", "hub.ctl", NULL},
    {"consoled", "-I", "initd/prefix.py", "console", NULL},
    /* programs whose place initd takes: it speaks their language where it is called by their name */
    {"tini", DAEMON, "pidone.called=tini"},
    {"tini-static", DAEMON, "pidone.called=tini"},
    {"docker-init", DAEMON, "pidone.called=tini"},
    {"catatonit", DAEMON, "pidone.called=catatonit"},
    {"dumb-init", DAEMON, "pidone.called=dumb-init"},
    {"supervisord", DAEMON, "pidone.called=supervisord"},
    {"supervisorctl", DAEMON, "pidone.called=supervisorctl"},
};

static const char *base(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}

static const struct command *chosen(const char *argv0, const char *file)
{
    const char *names[] = {base(argv0), base(file)};
    for (int n = 0; n < 2; n++)
        for (size_t i = 0; names[n] && i < sizeof commands / sizeof *commands; i++)
            if (strcmp(names[n], commands[i].name) == 0)
                return &commands[i];
    return &commands[0];
}

/* The path of this file, links followed: /proc may not be mounted, then what the kernel was asked to execute. */
static int own_path(char path[PATH_MAX], const char *file)
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (n > 0)
        path[n] = 0;
    else if (!file || !realpath(file, path))
        return -1;
    return 0;
}

/* Cut off the last part of a path; what is left, or NULL. */
static char *parent(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = 0;
    return path;
}

/* The environment in a memfd: no shell and no interpreter has altered it there (initd/prefix.py reads it). */
static int saved(char **vars)
{
    int fd = (int)syscall(SYS_memfd_create, "environ", 0u);
    if (fd < 0)
        return -1;
    for (; *vars; vars++) {
        size_t left = strlen(*vars) + 1;
        const char *at = *vars;
        while (left) {
            ssize_t n = write(fd, at, left);
            if (n <= 0) {
                close(fd);
                return -1;
            }
            at += n;
            left -= (size_t)n;
        }
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

#endif
