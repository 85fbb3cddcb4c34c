/* A library that has nothing of its own: all its names are forwarded to another one. */

int DllMain(void *module, unsigned long reason, void *reserved)
{
    (void)module, (void)reason, (void)reserved;
    return 1;
}
