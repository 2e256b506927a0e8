/* First program of the bundle: starts its Python with its own loader, so that nothing of the image is used.
 *
 * Static, so that it runs on glibc, musl and an empty image.  It finds the bundle by its own path, and the module by
 * the name it was called with.  The environment it was given goes to the interpreter as it is, raw, in a memfd named by
 * -X pidone.environ=FD (see initd/prefix.py, which puts it back); the interpreter itself is started without the loader's
 * and the allocator's variables, because an image's LD_PRELOAD is made for the image's libc, not for ours.
 */
#define _GNU_SOURCE
#include "launcher.h"

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
    env[kept++] = LOCALE; /* and none of the image's files */
    env[kept] = TUNABLES;
    return env;
}

int main(int argc, char **argv)
{
    static char dir[PATH_MAX], loader[PATH_MAX + 32], libs[PATH_MAX + 32], python[PATH_MAX + 32], script[PATH_MAX + 64], fd[48];
    const char *file = (const char *)getauxval(AT_EXECFN);
    const struct command *what = chosen(argc ? argv[0] : NULL, file);
    if (own_path(dir, file) < 0 || !parent(dir)) {
        fprintf(stderr, "%s: cannot find my own directory: mount /proc or call me by an absolute path\n", what->name);
        return 127;
    }
    snprintf(loader, sizeof loader, "%s/lib/%s", dir, what->name); /* a link to ld.so: the process is called so */
    snprintf(libs, sizeof libs, "%s/lib/deps", dir);
    snprintf(python, sizeof python, "%s/bin/python3", dir);
    /* __main__.py compiled (initd/packing.py); images/bundle gives it this name, since it has one Python */
    snprintf(script, sizeof script, "%s/site/%s", dir, what->module ? what->script : "initd/__main__.pyc");
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
