@echo off
rem Stop what start-monitoring.bat started. Data is kept.
rem --purge removes data, logs and credentials. It asks on a terminal; --yes, or no terminal, and it does not ask.
setlocal
for %%i in ("%~dp0..") do set "checkout=%%~fi"
rem Step 1: see whether anything was started.
if not exist "%checkout%\.venv\Scripts\python.exe" (
    echo tallow: nothing was started from this checkout
    exit /b 0
)
rem Step 2: stop it.
"%checkout%\.venv\Scripts\python.exe" -m tallow down %*
exit /b %errorlevel%
