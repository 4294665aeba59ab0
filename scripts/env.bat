@echo off
rem Create .venv from the hash-locked requirements, as scripts/env does elsewhere. Usage: scripts\env.bat run
rem Variable: TALLOW_PYTHON, the path of the preferred Python.
rem Nothing is done if the requirements have not changed.
setlocal
cd /d "%~dp0.." || exit /b 1
if not "%~1"=="run" (
    echo tallow: '%~1' is not a set of requirements; accepted: run 1>&2
    exit /b 1
)

rem Step 1: find Python 3.11 or later.
set "python="
for %%p in ("%TALLOW_PYTHON%" "py -3" "python3" "python") do if not defined python call :try_python %%p
if not defined python (
    echo tallow: Python 3.11 or later is needed and none was found on the PATH ^(set TALLOW_PYTHON to its path^) 1>&2
    exit /b 1
)

rem Step 2: leave if the environment is current.
set "stamp=.venv\.tallow-requirements"
if exist "%stamp%" fc /b "%stamp%" requirements\run.txt >nul 2>&1 && exit /b 0

rem Step 3: make the environment, and install exactly the requirements.
echo tallow: preparing .venv (run) ... 1>&2
if not exist .venv\Scripts\python.exe %python% -m venv .venv || exit /b 1
.venv\Scripts\python.exe -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements\run.txt || exit /b 1

rem Step 4: add the project itself with a path file, and remember for what the environment was made.
>.venv\Lib\site-packages\tallow.pth echo %cd%\src
copy /y requirements\run.txt "%stamp%" >nul || exit /b 1
exit /b 0

:try_python
if "%~1"=="" exit /b 0
set candidate=%~1
if exist "%~1" set candidate="%~1"
%candidate% -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1 && set python=%candidate%
exit /b 0
