"""A Windows machine made of packages: Wine, a real Windows CPython 3.12 and the real ``win_amd64`` wheels. Linux only.

What other parts of the tests build upon is :class:`tests.windows.machine.machine.WindowsMachine`::

    from tests.windows.machine.machine import WindowsMachine
    from tests.windows.machine.preparing import default_folder, ready_machine

    machine = ready_machine()          # None where nothing was set up; `install_plugin.py test --windows` sets it up
    machine.folder                     # Path: everything lies in here; outside of the checkout
    machine.python_home                # Path: python.exe, python312.dll, python3.dll, Lib, DLLs
    machine.python                     # list[str]: runs the environment's python.exe; append its arguments
    machine.environment                # dict[str, str]: what such a process must find in its environment
    machine.run("x.exe", "-a")         # CompletedProcess[bytes] of any Windows program; stdin closed, output by pipe
    machine.run_python("script.py")    # the same with the environment's Python
    windows_path(Path("/tmp/x"))       # "Z:\\\\tmp\\\\x"
    compile_program([Path("x.c")], Path("x.exe"), "-mwindows", "-lshell32")    # mingw, from mingw.py

What a test needs under Wine and cannot make there (a program compiled from C, another machine) is made beforehand, on
Linux: a line in ``beforehand.py`` names a function ``build(machine: WindowsMachine) -> None``. Tests that run under
Wine find the machine's folder in the variable ``EASYVTUBER_WINDOWS_MACHINE`` (a Windows path) and the folder of the
Windows Python in ``EASYVTUBER_WINDOWS_PYTHON_HOME``.
"""
