/* The measured side of bench/init.py, static and tiny, so that what is measured is the init.
 *
 *   init_probe exec FIFO COMMAND...   tell the time, then become COMMAND: the init, as PID 1
 *   init_probe run FIFO NAME          a program: tell the time of its first instruction, end at SIGTERM
 *   init_probe orphans FIFO NAME N    the same; at SIGUSR1 N orphans die at once, and it tells when none is a zombie
 *
 * A line of the FIFO is `KIND NAME NANOSECONDS` (CLOCK_MONOTONIC, shorter than PIPE_BUF, so atomic).  Kinds: E just
 * before the init's execve, S first instruction of a program, T a program was told to stop, O the orphans are told to
 * die, Z none of them is left, not even as a zombie.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int fifo;
static const char *name;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void tell(char kind, long long at)
{
    char line[200];
    int length = snprintf(line, sizeof line, "%c %s %lld\n", kind, name, at);
    if (write(fifo, line, length) != length)
        _exit(112);
}

/* A middle process forks them and leaves, so that PID 1 inherits them all; each sleeps until `gate` is closed. */
static void beget(pid_t *orphans, int count, int gate[2])
{
    int list[2];
    char byte;
    if (pipe(gate) < 0 || pipe(list) < 0)
        _exit(113);
    pid_t middle = fork();
    for (int i = 0; middle == 0 && i < count; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(gate[1]);
            _exit(read(gate[0], &byte, 1) != 0);
        }
        if (pid < 0 || write(list[1], &pid, sizeof pid) != sizeof pid)
            _exit(113);
    }
    if (middle == 0)
        _exit(0);
    close(list[1]);
    waitpid(middle, NULL, 0);
    for (int i = 0; i < count; i++)
        if (read(list[0], &orphans[i], sizeof *orphans) != sizeof *orphans)
            _exit(114);
    close(list[0]);
    close(gate[0]);
}

static void orphans(int count)
{
    struct timespec pause = {0, 200000};
    pid_t *pids = calloc(count, sizeof *pids);
    int gate[2];
    beget(pids, count, gate);
    tell('O', now());
    close(gate[1]);
    /* A zombie still has its pid.  The youngest is asked first: one question a pause until it is gone. */
    while (count > 0)
        if (kill(pids[count - 1], 0) < 0 && errno == ESRCH)
            count--;
        else
            nanosleep(&pause, NULL);
    tell('Z', now());
    free(pids);
}

int main(int argc, char **argv)
{
    long long start = now();
    if (argc < 4 || (fifo = open(argv[2], O_WRONLY | O_CLOEXEC)) < 0)
        return 111;
    name = strcmp(argv[1], "exec") ? argv[3] : "init";
    if (strcmp(argv[1], "exec") == 0) {
        tell('E', now());
        execv(argv[3], argv + 3);
        perror(argv[3]);
        return 127;
    }
    sigset_t asked;
    int number;
    sigemptyset(&asked);
    sigaddset(&asked, SIGTERM);
    sigaddset(&asked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &asked, NULL);
    tell('S', start);
    while (sigwait(&asked, &number) == 0 && number == SIGUSR1)
        if (argc == 5)
            orphans(atoi(argv[4]));
    tell('T', now());
    return 0;
}
