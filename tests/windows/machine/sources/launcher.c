/*
 * Scripts\python.exe of a virtual environment. It starts the interpreter of the folder that pyvenv.cfg names as "home",
 * with __PYVENV_LAUNCHER__ telling that one who was called (docs.python.org: venv; PEP 405). As with CPython's own, this
 * is a process between caller and interpreter; a job takes the interpreter along when this process is ended.
 */

#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#define LONGEST_PATH 32768

static wchar_t launcher[LONGEST_PATH], folder[LONGEST_PATH], name[LONGEST_PATH], home[LONGEST_PATH];

static int fail(const char *what)
{
    fprintf(stderr, "%s: Windows error %lu\n", what, GetLastError());
    return 1;
}

static void strip_last_part(wchar_t *path)
{
    wchar_t *end = wcsrchr(path, L'\\');
    if (end != NULL)
        *end = 0;
}

/* Fills "home" from a line such as: home = C:\Python312 */
static int read_home(const wchar_t *file)
{
    static char line[4 * LONGEST_PATH];
    FILE *opened = _wfopen(file, L"rb");
    if (opened == NULL)
        return 0;
    while (home[0] == 0 && fgets(line, sizeof line, opened) != NULL) {
        char *value = line + strcspn(line, "=");
        if (strncmp(line, "home", 4) != 0 || *value == 0)
            continue;
        value += 1 + strspn(value + 1, " \t");
        value[strcspn(value, "\r\n")] = 0;
        MultiByteToWideChar(CP_UTF8, 0, value, -1, home, LONGEST_PATH);
    }
    fclose(opened);
    return home[0] != 0;
}

int wmain(void)
{
    STARTUPINFOW start;
    PROCESS_INFORMATION child;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    DWORD status = 1;

    GetModuleFileNameW(NULL, launcher, LONGEST_PATH);
    wcscpy(folder, launcher);
    for (int level = 0; level < 2 && home[0] == 0; level++) {
        strip_last_part(folder);
        swprintf(name, LONGEST_PATH, L"%ls\\pyvenv.cfg", folder);
        read_home(name);
    }
    if (home[0] == 0)
        return fail("no pyvenv.cfg that names a home");

    swprintf(name, LONGEST_PATH, L"%ls\\python.exe", home);
    SetEnvironmentVariableW(L"__PYVENV_LAUNCHER__", launcher);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    GetStartupInfoW(&start);
    if (!CreateProcessW(name, GetCommandLineW(), NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &start, &child))
        return fail("the interpreter cannot be started");
    AssignProcessToJobObject(job, child.hProcess);
    ResumeThread(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &status);
    return (int)status;
}
