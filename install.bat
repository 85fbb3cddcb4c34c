@echo off
rem A double click sets EasyVtuber for OBS up and starts it: this finds a Python and hands over to install_plugin.py.
rem What stands behind the name of this file goes on to its command "run": install.bat --obs "D:\My OBS".
rem Keep this file in ASCII, with CRLF at the ends of lines, or cmd loses its place in it.
setlocal EnableExtensions DisableDelayedExpansion
title EasyVtuber for OBS
chcp 65001 >nul 2>nul
if "%~d0"=="\\" goto no_drive
pushd "%~dp0"
if not exist install_plugin.py goto no_folder
set "EASYVTUBER_PYTHON="
rem looking for a Python must not make Python's install manager fetch one
set "PYTHON_MANAGER_AUTOMATIC_INSTALL=false"
if not defined EASYVTUBER_COMMAND set "EASYVTUBER_COMMAND=run"

:look
call :try python\python.exe
for %%V in (3.12 3.11 3.13 3) do call :try_launcher %%V
call :try python.exe
call :try python3.exe
for %%V in (312 311 313) do (
    call :try "%LocalAppData%\Programs\Python\Python%%V\python.exe"
    call :try "%ProgramFiles%\Python%%V\python.exe"
)
if defined EASYVTUBER_PYTHON goto found

echo.
echo The worker needs a 64-bit Python from 3.11 to 3.13, best 3.12. None was found.
if defined EASYVTUBER_ASKED goto by_hand
where winget >nul 2>nul
if not "%ERRORLEVEL%"=="0" goto by_hand
set "EASYVTUBER_ASKED=yes"
set "EASYVTUBER_ANSWER="
if "%~1"=="--yes" goto get
set /p "EASYVTUBER_ANSWER=Install Python.Python.3.12 with winget? [Y/n] "
if not "%ERRORLEVEL%"=="0" goto by_hand
if /i "%EASYVTUBER_ANSWER:~0,1%"=="n" goto by_hand
:get
winget install --exact --accept-package-agreements --accept-source-agreements Python.Python.3.12
goto look

:by_hand
echo Take "Windows installer (64-bit)" of a Python 3.12 from https://www.python.org/downloads/windows/ and run this again.
set "EASYVTUBER_CODE=1"
goto end

:no_folder
popd
echo install_plugin.py is not beside this file. Unpack the whole zip into a folder first, then run this from there.
set "EASYVTUBER_CODE=1"
goto stay

:no_drive
echo OBS cannot keep a script on another computer. Copy this folder to a drive of this one and run it from there.
set "EASYVTUBER_CODE=1"
goto stay

:found
%EASYVTUBER_PYTHON% -E -X utf8 install_plugin.py %EASYVTUBER_COMMAND% %*
set "EASYVTUBER_CODE=%ERRORLEVEL%"
echo.
if "%EASYVTUBER_CODE%"=="0" echo All done. You can close this window.
if not "%EASYVTUBER_CODE%"=="0" echo That did not work. What to do is said above; then run this again.

:end
popd
:stay
if not defined EASYVTUBER_NO_PAUSE pause
exit /b %EASYVTUBER_CODE%

rem The Microsoft Store's shortcut fails here, as does whatever is too old to begin with.
:try
if defined EASYVTUBER_PYTHON exit /b 0
%1 -E -c "import sys; sys.exit(sys.version_info < (3, 8))" >nul 2>nul
if "%ERRORLEVEL%"=="0" set EASYVTUBER_PYTHON=%1
exit /b 0

:try_launcher
if defined EASYVTUBER_PYTHON exit /b 0
py -%1 -E -c "import sys; sys.exit(sys.version_info < (3, 8))" >nul 2>nul
if "%ERRORLEVEL%"=="0" set "EASYVTUBER_PYTHON=py -%1"
exit /b 0
