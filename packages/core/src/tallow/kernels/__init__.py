"""Specialisations of operations for one backend, registered with `@op.on(name)`.

Nobody imports them statically: a backend's package is opened with the backend itself.
"""
