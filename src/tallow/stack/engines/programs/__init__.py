"""The programs of the native engine, found on the PATH or unpacked from Debian packages."""
