"""The programs of the native engine: on the PATH, or unpacked from Debian packages."""
