/*
 * An LD_PRELOAD library that counts the syncs of a process and its children, makes them slower, and plays a full disk.
 *
 *   SYNCSHIM_COUNTER=FILE       eight 64-bit numbers, mapped and shared: see struct counters. Made when missing.
 *   SYNCSHIM_DELAY_US=N         each fsync and fdatasync takes N microseconds more.
 *   SYNCSHIM_ENOSPC_FILE=FILE   while this file exists, the disk is full: writes to regular files whose path contains
 *   SYNCSHIM_ENOSPC_MATCH=TEXT  this text (all regular files when unset), their growth included, fail with ENOSPC.
 *
 * It sees calls that go through libc. A program that makes its own system calls is not seen.
 *
 *   cc -O2 -shared -fPIC -o syncshim.so syncshim.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct counters {
    uint64_t fsync;
    uint64_t fdatasync;
    uint64_t sync_file_range;
    uint64_t msync;
    uint64_t sync_ns; /* spent inside fsync and fdatasync, the added delay left out */
    uint64_t refused; /* calls that failed because the disk plays full */
    uint64_t unused[2];
};

static struct counters nowhere;
static struct counters *counters = &nowhere;
static long delay_us;
static const char *full_when;
static const char *full_match;

/* The next definition of a function: libc's own. Looked up at each first use, which may come before setup(). */
#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static void count(uint64_t *counter, uint64_t by)
{
    __atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

static void map_counters(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        perror("syncshim: SYNCSHIM_COUNTER");
        _exit(127);
    }
    struct stat found;
    if (fstat(fd, &found) == 0 && found.st_size < (off_t)sizeof *counters && ftruncate(fd, sizeof *counters) != 0) {
        perror("syncshim: SYNCSHIM_COUNTER");
        _exit(127);
    }
    void *map = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) counters = map;
}

__attribute__((constructor)) static void setup(void)
{
    const char *delay = getenv("SYNCSHIM_DELAY_US");
    delay_us = delay ? atol(delay) : 0;
    const char *path = getenv("SYNCSHIM_COUNTER");
    if (path) map_counters(path);
    full_match = getenv("SYNCSHIM_ENOSPC_MATCH");
    full_when = getenv("SYNCSHIM_ENOSPC_FILE"); /* last: the counters must not find the disk full */
}

/* ---- syncs ---- */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int sync_counted(int (*sync)(int), int fd, uint64_t *counter)
{
    uint64_t started = now_ns();
    int result = sync(fd);
    int error = errno;
    count(counter, 1);
    count(&counters->sync_ns, now_ns() - started);
    if (delay_us > 0) {
        struct timespec left = {delay_us / 1000000, delay_us % 1000000 * 1000};
        while (nanosleep(&left, &left) != 0 && errno == EINTR) {
        }
    }
    errno = error;
    return result;
}

int fsync(int fd)
{
    NEXT(fsync);
    return sync_counted(next, fd, &counters->fsync);
}

int fdatasync(int fd)
{
    NEXT(fdatasync);
    return sync_counted(next, fd, &counters->fdatasync);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned int flags)
{
    NEXT(sync_file_range);
    count(&counters->sync_file_range, 1);
    return next(fd, offset, length, flags);
}

int msync(void *address, size_t length, int flags)
{
    NEXT(msync);
    count(&counters->msync, 1);
    return next(address, length, flags);
}

/* ---- a full disk ---- */

/* Whether a write to `fd` must fail now. Keeps errno when it need not. */
static int disk_is_full(int fd)
{
    if (!full_when) return 0;
    int error = errno, full = 0;
    struct stat file;
    if (access(full_when, F_OK) == 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) {
        char link[64], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length >= 0) {
            path[length] = '\0';
            full = !full_match || strstr(path, full_match) != NULL;
        }
    }
    errno = error;
    if (full) {
        count(&counters->refused, 1);
        errno = ENOSPC;
    }
    return full;
}

/* A full disk still lets a file shrink. */
static int cannot_grow(int fd, off64_t length)
{
    struct stat file;
    return full_when && fstat(fd, &file) == 0 && length > file.st_size && disk_is_full(fd);
}

#define REFUSE_WHEN_FULL(result, name, parameters, arguments) \
    result name parameters \
    { \
        NEXT(name); \
        return disk_is_full(fd) ? -1 : next arguments; \
    }

REFUSE_WHEN_FULL(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
REFUSE_WHEN_FULL(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
REFUSE_WHEN_FULL(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
REFUSE_WHEN_FULL(ssize_t, writev, (int fd, const struct iovec *parts, int n), (fd, parts, n))
REFUSE_WHEN_FULL(ssize_t, pwritev, (int fd, const struct iovec *parts, int n, off_t at), (fd, parts, n, at))
REFUSE_WHEN_FULL(ssize_t, pwritev64, (int fd, const struct iovec *parts, int n, off64_t at), (fd, parts, n, at))
REFUSE_WHEN_FULL(int, fallocate, (int fd, int mode, off_t at, off_t length), (fd, mode, at, length))
REFUSE_WHEN_FULL(int, fallocate64, (int fd, int mode, off64_t at, off64_t length), (fd, mode, at, length))

/* These two answer with the error instead of setting errno. */
int posix_fallocate(int fd, off_t at, off_t length)
{
    NEXT(posix_fallocate);
    return disk_is_full(fd) ? ENOSPC : next(fd, at, length);
}

int posix_fallocate64(int fd, off64_t at, off64_t length)
{
    NEXT(posix_fallocate64);
    return disk_is_full(fd) ? ENOSPC : next(fd, at, length);
}

int ftruncate(int fd, off_t length)
{
    NEXT(ftruncate);
    return cannot_grow(fd, length) ? -1 : next(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    NEXT(ftruncate64);
    return cannot_grow(fd, length) ? -1 : next(fd, length);
}
