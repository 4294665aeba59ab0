"""uvicorn with limits on connections: their number, and the time that each step of a request may take.

uvicorn limits neither: it holds every connection that a client opens, however long the client stays silent,
until the process has no descriptor left.
"""
