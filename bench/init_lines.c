/* Lines for the log relay of bench/init.py: one program writes them, another reads and checks what arrives.
 *
 *   init_lines write FIFO NAME COUNT   a program: COUNT lines to stdout at SIGUSR1 (at once if COUNT is negative)
 *   init_lines read FIFO NAME COUNT    reads lines until COUNT have come or the end: tells when, and which are missing
 *
 * A line is 100 bytes: `#` number `#` letters, the letter following from the number.  The reader takes whatever stands
 * before the first `#` (a prefix, the beginning of a JSON object) and after the letters.  It tells on the FIFO, like
 * init_probe: S first instruction, B the first byte is about to be written, T told to stop, and at the end of reading
 * `R lost,broken NANOSECONDS`.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 100, DIGITS = 10, HEAD = DIGITS + 2, LETTERS = LINE - HEAD - 1, BATCH = 600 };

static int fifo;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void tell(char kind, const char *name, long long at)
{
    char line[200];
    int length = snprintf(line, sizeof line, "%c %s %lld\n", kind, name, at);
    if (write(fifo, line, length) != length)
        _exit(112);
}

static void write_lines(long long count)
{
    static char batch[LINE * BATCH];
    for (long long number = 0; number < count;) {
        char *end = batch;
        for (; number < count && end < batch + sizeof batch; number++, end += LINE) {
            long long rest = number;
            end[0] = end[HEAD - 1] = '#';
            for (int digit = DIGITS; digit > 0; digit--, rest /= 10)
                end[digit] = '0' + rest % 10;
            memset(end + HEAD, 'a' + number % 26, LETTERS);
            end[LINE - 1] = '\n';
        }
        for (char *at = batch; at < end;) {
            ssize_t written = write(1, at, end - at);
            if (written <= 0)
                _exit(114);
            at += written;
        }
    }
}

/* The number of an unbroken line, else -1. */
static long long number_of(char *line, size_t length)
{
    char *mark = memchr(line, '#', length), letters[LETTERS];
    if (!mark || mark + HEAD + LETTERS > line + length || mark[HEAD - 1] != '#')
        return -1;
    long long number = strtoll(mark + 1, NULL, 10);
    memset(letters, 'a' + number % 26, LETTERS);
    return memcmp(mark + HEAD, letters, LETTERS) ? -1 : number;
}

static void read_lines(long long count)
{
    static char buffer[1 << 20];
    size_t kept = 0;
    long long seen = 0, lost = 0, broken = 0, next = 0, at = now();
    ssize_t got;
    char text[80];
    while (next < count && (got = read(0, buffer + kept, sizeof buffer - kept)) > 0) {
        char *line = buffer, *end, *stop = buffer + kept + got;
        at = now();
        for (; (end = memchr(line, '\n', stop - line)) != NULL; line = end + 1) {
            long long number = number_of(line, end - line);
            if (number < 0) {
                broken += memchr(line, '#', end - line) != NULL; /* other lines: the init's own */
                continue;
            }
            seen++;
            next = number + 1;
        }
        kept = stop - line;
        memmove(buffer, line, kept);
        if (kept == sizeof buffer)
            break;
    }
    lost = count - seen;
    snprintf(text, sizeof text, "%lld,%lld", lost, broken);
    tell('R', text, at);
    while (read(0, buffer, sizeof buffer) > 0)
        ;
}

int main(int argc, char **argv)
{
    long long start = now(), count;
    sigset_t asked;
    int number;
    if (argc != 5 || (fifo = open(argv[2], O_WRONLY | O_CLOEXEC)) < 0)
        return 111;
    count = atoll(argv[4]);
    if (strcmp(argv[1], "read") == 0) {
        read_lines(count);
        return 0;
    }
    sigemptyset(&asked);
    sigaddset(&asked, SIGTERM);
    sigaddset(&asked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &asked, NULL);
    tell('S', argv[3], start);
    for (number = count < 0 ? SIGUSR1 : 0; number || sigwait(&asked, &number) == 0; number = 0) {
        if (number == SIGTERM)
            break;
        tell('B', argv[3], now());
        write_lines(llabs(count));
        if (count < 0)
            return 0;
    }
    tell('T', argv[3], now());
    return 0;
}
