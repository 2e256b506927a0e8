/* The floor of bench/init.py in C: the same as init_floor.py, the least that an init can do. */
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAMS = 1024, WORDS = 16, LINE = 4096 };

extern char **environ;

static struct program {
    char line[LINE], *argv[WORDS];
    pid_t pid;
} programs[PROGRAMS];
static int count, running;

static void start(struct program *one)
{
    posix_spawnattr_t how;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    running += posix_spawn(&one->pid, one->argv[0], NULL, &how, one->argv, environ) == 0;
    posix_spawnattr_destroy(&how);
}

static void read_programs(const char *path)
{
    FILE *file = fopen(path, "r");
    while (file && count < PROGRAMS && fgets(programs[count].line, LINE, file)) {
        struct program *one = &programs[count];
        int words = 0;
        for (char *word = strtok(one->line, " \n"); word && words < WORDS - 1; word = strtok(NULL, " \n"))
            one->argv[words++] = word;
        if (words) {
            start(one);
            count++;
        }
    }
}

static void reap(int again)
{
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (int i = 0; i < count; i++)
            if (programs[i].pid == pid) {
                programs[i].pid = 0;
                running--;
                if (again)
                    start(&programs[i]);
                break;
            }
}

int main(int argc, char **argv)
{
    sigset_t waited;
    int number, ending = 0;
    sigemptyset(&waited);
    sigaddset(&waited, SIGCHLD);
    sigaddset(&waited, SIGTERM);
    sigprocmask(SIG_BLOCK, &waited, NULL);
    if (argc < 2)
        return 2;
    read_programs(argv[1]);
    while (running || !ending) {
        sigwait(&waited, &number);
        if (number == SIGTERM) {
            ending = 1;
            for (int i = 0; i < count; i++)
                if (programs[i].pid)
                    kill(programs[i].pid, SIGTERM);
        }
        reap(!ending);
    }
    return 0;
}
