/* The commands where pip installed them: bin/initd without the shell and its od, a third of a small start.
 *
 * Built by setup.py where a C compiler is; bin/initd, which it does the same as, is installed elsewhere.  Static, because
 * a wheel may be built on one Linux and used on another.  PREFIX/bin/NAME runs the packages of PREFIX with the Python
 * that stands beside it, in /usr/local/bin, /usr/bin or PATH, isolated (-I) from the application's; the environment it
 * was given is handed on in a memfd (initd/prefix.py), so the interpreter may be given a better one.
 */
#define _GNU_SOURCE
#include "launcher.h"
#include <dirent.h>
#include <errno.h>

/* Where packages stand below the prefix: the source tree, and what pip and distributions use. */
static const struct place { const char *lib, *site; } places[] = {
    {"", NULL}, {"/lib", "site-packages"}, {"/lib", "dist-packages"}, {"/lib64", "site-packages"},
};

enum { SITE_MAX = PATH_MAX + NAME_MAX + 64 };

struct found { char site[SITE_MAX], version[NAME_MAX + 1]; };

static int holds_us(const char *site)
{
    char file[SITE_MAX + 32];
    snprintf(file, sizeof file, "%s/initd/prefix.py", site);
    return access(file, F_OK) == 0;
}

/* Our packages below LIB/pythonX.Y/SITE, and that pythonX.Y. */
static int below(struct found *out, const char *lib, const char *site)
{
    DIR *dir = opendir(lib);
    int found = 0;
    for (struct dirent *entry; !found && dir && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, "python3", 7) != 0)
            continue;
        snprintf(out->site, sizeof out->site, "%s/%s/%s", lib, entry->d_name, site);
        snprintf(out->version, sizeof out->version, "%s", entry->d_name);
        found = holds_us(out->site);
    }
    if (dir)
        closedir(dir);
    return found;
}

/* Fill in where our packages are; an editable installation has no copy of them, only its interpreter knows. */
static int packages(struct found *out, const char *prefix)
{
    char lib[PATH_MAX + 16];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(out->version, sizeof out->version, "python3");
        snprintf(lib, sizeof lib, "%s%s", prefix, places[i].lib);
        snprintf(out->site, sizeof out->site, "%s", prefix);
        if (places[i].site ? below(out, lib, places[i].site) : holds_us(prefix))
            return 1;
    }
    snprintf(out->version, sizeof out->version, "python3");
    return 0;
}

static int is_there(char *out, const char *dir, size_t length, const char *name)
{
    return snprintf(out, PATH_MAX, "%.*s/%s", (int)length, dir, name) < PATH_MAX && access(out, X_OK) == 0;
}

static int in_path(char *out, const char *version)
{
    const char *at = getenv("PATH");
    for (; at; at = *at ? at + 1 : NULL) {
        size_t length = strcspn(at, ":");
        if (length && is_there(out, at, length, version))
            return 1;
        at += length;
    }
    return 0;
}

static int interpreter(char *out, const char *prefix, const char *version)
{
    char bin[PATH_MAX + 16], own[PATH_MAX + 16];
    snprintf(bin, sizeof bin, "%s/bin", prefix);
    snprintf(own, sizeof own, "%s/.venv/bin", prefix);
    const char *tried[][2] = {
        {bin, version}, {bin, "python3"}, {own, "python3"}, {"/usr/local/bin", version}, {"/usr/bin", version},
    };
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++)
        if (is_there(out, tried[i][0], strlen(tried[i][0]), tried[i][1]))
            return 1;
    return in_path(out, version);
}

/* The caller's variables, but for the locale, with an allocator setting unless he has his own. */
static char **tuned(char **vars)
{
    size_t count = 0, kept = 0;
    while (vars[count])
        count++;
    char **env = calloc(count + 3, sizeof *env);
    if (!env)
        return vars;
    for (; *vars; vars++)
        if (strncmp(*vars, "LC_ALL=", 7) != 0)
            env[kept++] = *vars;
    env[kept++] = LOCALE;
    if (!getenv("GLIBC_TUNABLES"))
        env[kept] = TUNABLES;
    return env;
}

/* __main__.py as initd/packing.py has compiled it for this Python, if it has. */
static void compiled(char *script, size_t size, const struct found *ours)
{
    char file[SITE_MAX + 64];
    if (strncmp(ours->version, "python3.", 8) != 0)
        return;
    snprintf(file, sizeof file, "%s/initd/__main__.cpython-3%s.pyc", ours->site, ours->version + 8);
    if (access(file, R_OK) == 0)
        snprintf(script, size, "%s", file);
}

int main(int argc, char **argv)
{
    static char prefix[PATH_MAX], python[PATH_MAX], script[SITE_MAX + 64], fd[48];
    static struct found ours;
    const char *file = (const char *)getauxval(AT_EXECFN);
    const struct command *what = chosen(argc ? argv[0] : NULL, file);
    if (own_path(prefix, file) < 0 || !parent(prefix) || !parent(prefix)) {
        fprintf(stderr, "%s: cannot find my own directory: mount /proc or call me by an absolute path\n", what->name);
        return 127;
    }
    int is_copy = packages(&ours, prefix), memory = saved(environ), n = 0;
    if (!interpreter(python, prefix, ours.version)) {
        fprintf(stderr, "%s: no %s beside %s/bin/%s, in /usr/local/bin, /usr/bin or PATH\n", what->name, ours.version,
                prefix, what->name);
        return 127;
    }
    char **args = calloc((size_t)argc + 16, sizeof *args);
    if (!args)
        return 127;
    args[n++] = python;
    args[n++] = is_copy ? (char *)what->flags : "-I"; /* site knows where an editable installation is */
    if (memory >= 0) {
        args[n++] = "-X";
        args[n++] = "utf8";
        snprintf(fd, sizeof fd, "pidone.environ=%d", memory);
        args[n++] = "-X";
        args[n++] = fd;
    } else if (!getenv("LC_CTYPE")) {
        args[n++] = "-X";
        args[n++] = "pidone.lc_ctype=unset";
    }
    if (what->called) {
        args[n++] = "-X";
        args[n++] = (char *)what->called;
    }
    snprintf(script, sizeof script, "%s/%s", ours.site, what->script);
    if (!what->module)
        compiled(script, sizeof script, &ours);
    if (is_copy)
        args[n++] = script;
    else {
        args[n++] = "-m";
        args[n++] = what->module ? "initd.prefix" : "initd";
    }
    if (what->module)
        args[n++] = (char *)what->module;
    for (int i = 1; i < argc; i++)
        args[n++] = argv[i];
    execve(python, args, memory >= 0 ? tuned(environ) : environ);
    fprintf(stderr, "%s: %s: %s\n", what->name, python, strerror(errno));
    return 127;
}
