@echo off
rem Start Tallow and its monitoring on this machine (Windows). Needs Docker Desktop, and Python 3.11 or later.
rem Arguments go to `tallow up` (--port-offset N, --home FOLDER, --restart); running it again changes nothing that runs.
rem After an upgrade it says that older code still runs. --restart restarts it; on a terminal it asks.
setlocal
for %%i in ("%~dp0..") do set "checkout=%%~fi"
rem Step 1: find Python, and prepare .venv from the requirements locked with hashes.
call "%checkout%\scripts\env.bat" run || exit /b 1
rem Step 2: start what does not run, and wait until it is healthy.
"%checkout%\.venv\Scripts\python.exe" -m tallow up --engine docker %*
exit /b %errorlevel%
