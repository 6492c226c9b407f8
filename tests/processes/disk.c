/* Preloaded by `disk`: while the file DISK_FAULT says `w N`, writing files below the folder DISK_FOLDER fails with error
   number N; while it says `s N`, syncing them does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fault(int file, char step)
{
    const char *folder = getenv("DISK_FOLDER"), *control = getenv("DISK_FAULT");
    char name[32], path[4096], told[16];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (!folder || !control || length <= 0)
        return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)))
        return 0;
    int asked = open(control, O_RDONLY);
    if (asked < 0)
        return 0;
    ssize_t read_bytes = read(asked, told, sizeof told - 1);
    close(asked);
    if (read_bytes < 3 || told[0] != step)
        return 0;
    told[read_bytes] = 0;
    return atoi(told + 2);
}

#define REAL(name, ...) ((ssize_t(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
#define UNLESS(step, real) int error = fault(file, step); if (error) { errno = error; return -1; } return real

ssize_t write(int file, const void *from, size_t size)
{
    UNLESS('w', REAL("write", int, const void *, size_t)(file, from, size));
}
ssize_t pwrite(int file, const void *from, size_t size, off_t at)
{
    UNLESS('w', REAL("pwrite", int, const void *, size_t, off_t)(file, from, size, at));
}
ssize_t pwrite64(int file, const void *from, size_t size, off64_t at)
{
    UNLESS('w', REAL("pwrite64", int, const void *, size_t, off64_t)(file, from, size, at));
}
int fsync(int file)
{
    UNLESS('s', ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file));
}
int fdatasync(int file)
{
    UNLESS('s', ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file));
}
