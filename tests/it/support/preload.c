/* What a process believes of its clock and of its disk, as a page says that somebody else writes: seconds to add to the
 * time of day, and with which error the writing of files fails; or, with the error negated, only that it lasts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct dial {
    _Atomic int64_t seconds;
    _Atomic int64_t error;
};

static struct dial *dial;

__attribute__((constructor)) static void find(void) {
    const char *path = getenv("AFTERCARE_TEST_DIAL");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof(struct dial), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED) dial = page;
}

/* Allocators ask for the time before anything else is there, so no other function is called. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && dial) time->tv_sec += dial->seconds;
    return result;
}

static int fails(int file) {
    struct stat about;
    if (!dial || dial->error <= 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
    errno = (int)dial->error;
    return 1;
}

ssize_t write(int file, const void *bytes, size_t count) {
    return fails(file) ? -1 : syscall(SYS_write, file, bytes, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    return fails(file) ? -1 : syscall(SYS_pwrite64, file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return pwrite64(file, bytes, count, at);
}

int ftruncate64(int file, off64_t length) {
    return fails(file) ? -1 : (int)syscall(SYS_ftruncate, file, length);
}

int ftruncate(int file, off_t length) {
    return ftruncate64(file, length);
}

int posix_fallocate(int file, off_t at, off_t count) {
    int (*real)(int, off_t, off_t) = (int (*)(int, off_t, off_t))dlsym(RTLD_NEXT, "posix_fallocate");
    return fails(file) ? errno : real(file, at, count);
}

static int fails_to_last(int file) {
    struct stat about;
    if (!dial || dial->error >= 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
    errno = (int)-dial->error;
    return 1;
}

int fsync(int file) {
    return fails_to_last(file) ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    return fails_to_last(file) ? -1 : (int)syscall(SYS_fdatasync, file);
}
