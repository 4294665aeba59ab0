"""``tallow doctor``: run the items of the production checklist that a program can check.

A check names what is wrong and what to do. Each is an item of ``monitoring/PRODUCTION_CHECKLIST.md``.
"""
