/*
 * obs64.exe PYTHON_HOME PORT
 *
 * Starts Python as OBS 32.2 does on Windows (obs-main.cpp, platform-windows.c, obs-scripting-python.c): a program without
 * a console, whose DLLs come from its own folder and the system's alone, that loads python312.dll (or an older one) out
 * of the folder the user chose. The scripting folder beside it does the rest (obs_host_scripting.py): "start" connects to
 * PORT on this computer, "tick" is the UI thread's turn until it says false, "frame" the drawing thread's.
 *
 * Exit codes: 0; 2 bad arguments; 3 no Python in the folder; 4 Python's side failed; 5 Python did not end well;
 * 6 something was not given back to libobs.
 */

#include <stdbool.h>
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define LONGEST_PATH 4096
#define FRAME_MS 16
#define OLDEST_MINOR 6
#define NEWEST_MINOR 12

typedef void object;

__declspec(dllimport) void host_begin_frame(void);
__declspec(dllimport) int host_run_tasks(void);
__declspec(dllimport) long host_destroy_sources(void);

static HMODULE python;
static object *scripting;
static volatile bool drawing = true;

static void (*Py_SetPythonHome)(const wchar_t *);
static void (*Py_Initialize)(void);
static int (*Py_FinalizeEx)(void);
static void (*PySys_SetArgv)(int, wchar_t **);
static object *(*PySys_GetObject)(const char *);
static int (*PyList_Append)(object *, object *);
static object *(*PyUnicode_FromWideChar)(const wchar_t *, intptr_t);
static object *(*PyImport_ImportModule)(const char *);
static object *(*PyObject_CallMethod)(object *, const char *, const char *, ...);
static int (*PyObject_IsTrue)(object *);
static void (*Py_DecRef)(object *);
static void (*PyErr_Print)(void);
static int (*PyGILState_Ensure)(void);
static void (*PyGILState_Release)(int);
static void *(*PyEval_SaveThread)(void);

/* A function of the loaded python3x.dll into the pointer of its name. */
#define FIND(name) (*(FARPROC *)&name = GetProcAddress(python, #name)) != NULL

static bool load_python(const wchar_t *home)
{
    static wchar_t path[LONGEST_PATH];
    for (int minor = NEWEST_MINOR; minor >= OLDEST_MINOR && python == NULL; minor--) {
        swprintf(path, LONGEST_PATH, L"%ls\\python3%d.dll", home, minor);
        if (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES)
            python = LoadLibraryExW(path, NULL, LOAD_LIBRARY_SEARCH_DEFAULT_DIRS | LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR);
    }
    return python != NULL && FIND(Py_SetPythonHome) && FIND(Py_Initialize) && FIND(Py_FinalizeEx) && FIND(PySys_SetArgv)
        && FIND(PySys_GetObject) && FIND(PyList_Append) && FIND(PyUnicode_FromWideChar) && FIND(PyImport_ImportModule)
        && FIND(PyObject_CallMethod) && FIND(PyObject_IsTrue) && FIND(Py_DecRef) && FIND(PyErr_Print)
        && FIND(PyGILState_Ensure) && FIND(PyGILState_Release) && FIND(PyEval_SaveThread);
}

/* data/obs-scripting/64bit, seen from bin/64bit */
static void add_scripting_folder(void)
{
    static wchar_t path[LONGEST_PATH];
    object *folder;
    GetModuleFileNameW(NULL, path, LONGEST_PATH);
    for (int level = 0; level < 3; level++)
        *wcsrchr(path, L'\\') = 0;
    wcscat(path, L"\\data\\obs-scripting\\64bit");
    folder = PyUnicode_FromWideChar(path, -1);
    PyList_Append(PySys_GetObject("path"), folder);
    Py_DecRef(folder);
}

/* Calls a function of the scripting module with Python's lock held; what it raises counts as false. */
static bool call(const char *name, int number)
{
    int state = PyGILState_Ensure();
    object *answer = PyObject_CallMethod(scripting, name, "i", number);
    bool said_yes = answer != NULL && PyObject_IsTrue(answer) == 1;
    if (answer != NULL)
        Py_DecRef(answer);
    else
        PyErr_Print();
    PyGILState_Release(state);
    return said_yes;
}

static DWORD WINAPI draw(void *unused)
{
    (void)unused;
    while (drawing) {
        host_begin_frame();
        call("frame", FRAME_MS);
        Sleep(FRAME_MS);
    }
    return 0;
}

int WINAPI wWinMain(HINSTANCE instance, HINSTANCE before, PWSTR line, int show)
{
    int count, ended;
    wchar_t **arguments = CommandLineToArgvW(GetCommandLineW(), &count);
    wchar_t *no_name[] = {L"", NULL};
    HANDLE drawer;

    (void)instance, (void)before, (void)line, (void)show;
    if (count != 3)
        return 2;
    SetErrorMode(SEM_FAILCRITICALERRORS);
    SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
    SetDllDirectoryW(L"");
    if (!load_python(arguments[1]))
        return 3;
    Py_SetPythonHome(arguments[1]);
    Py_Initialize();
    PySys_SetArgv(1, no_name);
    add_scripting_folder();
    scripting = PyImport_ImportModule("obs_host_scripting");
    if (scripting == NULL)
        return 4;
    PyEval_SaveThread();
    if (!call("start", _wtoi(arguments[2])))
        return 4;
    drawer = CreateThread(NULL, 0, draw, NULL, 0, NULL);
    while (call("tick", 0)) {
        host_run_tasks();
        Sleep(1);
    }
    drawing = false;
    WaitForSingleObject(drawer, INFINITE);
    PyGILState_Ensure();
    ended = Py_FinalizeEx();
    return ended != 0 ? 5 : host_destroy_sources() != 0 ? 6 : 0;
}
