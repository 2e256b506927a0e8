/* Preloaded into user-mode Linux on a processor with AMX.
 *
 * There the extended register state (xstate) of a process is larger than the 2,696 bytes that this kernel saves, and
 * the host refuses to set a part of it: PTRACE_SETREGSET fails with EFAULT and the guest panics at once ("ptrace set fp
 * regs failed").  So a short set becomes: get all, put the given bytes over the beginning, set all.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef long ptrace_call(enum __ptrace_request, pid_t, void *, void *);

static long set_whole(ptrace_call *next, pid_t pid, void *kind, struct iovec *part)
{
    static char whole[1 << 16]; /* the kernel is one thread; no processor has more state than this */
    struct iovec all = {whole, sizeof whole};
    if (next(PTRACE_GETREGSET, pid, kind, &all) != 0 || part->iov_len >= all.iov_len)
        return next(PTRACE_SETREGSET, pid, kind, part);
    memcpy(whole, part->iov_base, part->iov_len);
    return next(PTRACE_SETREGSET, pid, kind, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
    static ptrace_call *next;
    if (!next)
        next = (ptrace_call *)dlsym(RTLD_NEXT, "ptrace");
    va_list rest;
    va_start(rest, request);
    pid_t pid = va_arg(rest, pid_t);
    void *address = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);
    if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE)
        return set_whole(next, pid, address, data);
    return next(request, pid, address, data);
}
