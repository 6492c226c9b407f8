/* Preloaded by `audited`: every sync of the process and its children takes SYNC_US microseconds longer, as on a disk
   that has to reach its platter or its peer. What is synced stays synced. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int after_a_while(const char *name, int file)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *longer = getenv("SYNC_US");
    int outcome = real(file);
    usleep(longer ? (useconds_t)atol(longer) : 0);
    return outcome;
}

int fsync(int file) { return after_a_while("fsync", file); }
int fdatasync(int file) { return after_a_while("fdatasync", file); }
