"""The environment of a drill: a stack, servers under test, their clients, and the alerts they raise."""
