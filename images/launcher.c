/* First program of the bundle: starts its Python with its own loader, so that nothing of the image is used.
 *
 * Static, so that it runs on glibc, musl and an empty image.  It finds the bundle by its own path, and the module by
 * the name it was called with.  The environment it was given goes to the interpreter as it is, raw, in a memfd named by
 * -X pidone.environ=FD (see initd/prefix.py, which puts it back); the interpreter itself is started without the loader's
 * and the allocator's variables, because an image's LD_PRELOAD is made for the image's libc, not for ours.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

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

/* The directory of this file: /proc may not be mounted, then what the kernel was asked to execute. */
static int bundle(char *dir, const char *file)
{
    ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);
    if (n > 0)
        dir[n] = 0;
    else if (!file || !realpath(file, dir))
        return -1;
    char *slash = strrchr(dir, '/');
    if (!slash)
        return -1;
    *slash = 0;
    return 0;
}

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

/* Variables that act on the C library of whatever is executed next. */
static int foreign(const char *var)
{
    static const char *const prefixes[] = {"LD_", "MALLOC_", "GLIBC_TUNABLES=", "LOCPATH=", "GCONV_PATH=", "LC_ALL="};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(var, prefixes[i], strlen(prefixes[i])) == 0)
            return 1;
    return 0;
}

static char **ours(char **vars)
{
    size_t count = 0, kept = 0;
    while (vars[count])
        count++;
    char **env = calloc(count + 3, sizeof *env);
    if (!env)
        return vars;
    for (; *vars; vars++)
        if (!foreign(*vars))
            env[kept++] = *vars;
    env[kept++] = "LC_ALL=C"; /* no locale files of the image; -X utf8 decides the encoding */
    /* Else each read of a program's output, 64 KB, gives the end of the heap back and faults it in again: an eighth of
     * PID 1's work for a loud program (bench/init_relay.py). */
    env[kept] = "GLIBC_TUNABLES=glibc.malloc.trim_threshold=1048576:glibc.malloc.mmap_threshold=1048576";
    return env;
}

int main(int argc, char **argv)
{
    static char dir[PATH_MAX], loader[PATH_MAX + 32], libs[PATH_MAX + 32], python[PATH_MAX + 32], script[PATH_MAX + 64], fd[48];
    const char *file = (const char *)getauxval(AT_EXECFN);
    const struct command *what = chosen(argc ? argv[0] : NULL, file);
    if (bundle(dir, file) < 0) {
        fprintf(stderr, "%s: cannot find my own directory: mount /proc or call me by an absolute path\n", what->name);
        return 127;
    }
    snprintf(loader, sizeof loader, "%s/lib/%s", dir, what->name); /* a link to ld.so: the process is called so */
    snprintf(libs, sizeof libs, "%s/lib/deps", dir);
    snprintf(python, sizeof python, "%s/bin/python3", dir);
    snprintf(script, sizeof script, "%s/site/%s", dir, what->script);
    int memory = saved(environ), n = 0;
    char **args = calloc((size_t)argc + 16, sizeof *args);
    if (!args)
        return 127;
    args[n++] = (char *)what->name;
    args[n++] = "--inhibit-cache";
    args[n++] = "--library-path";
    args[n++] = libs;
    args[n++] = python;
    args[n++] = (char *)what->flags;
    args[n++] = "-B";
    args[n++] = "-X";
    args[n++] = "utf8";
    if (memory >= 0) {
        snprintf(fd, sizeof fd, "pidone.environ=%d", memory);
        args[n++] = "-X";
        args[n++] = fd;
    }
    if (what->called) {
        args[n++] = "-X";
        args[n++] = (char *)what->called;
    }
    args[n++] = script;
    if (what->module)
        args[n++] = (char *)what->module;
    for (int i = 1; i < argc; i++)
        args[n++] = argv[i];
    execve(loader, args, memory >= 0 ? ours(environ) : environ);
    perror(loader);
    return 127;
}
