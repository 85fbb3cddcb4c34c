/* python.exe: hands its arguments to Py_Main of the python312.dll that lies beside it, as CPython's own does. */

#include <stdio.h>
#include <wchar.h>
#include <windows.h>

typedef int (*main_function)(int, wchar_t **);

int wmain(int count, wchar_t **arguments)
{
    HMODULE python = LoadLibraryW(L"python312.dll");
    main_function run = python ? (main_function)(void *)GetProcAddress(python, "Py_Main") : NULL;
    if (run == NULL) {
        fprintf(stderr, "python312.dll cannot be used: Windows error %lu\n", GetLastError());
        return 1;
    }
    return run(count, arguments);
}
