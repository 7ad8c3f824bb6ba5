"""What is taken where nothing is said."""

from datetime import timedelta

default_pg_timeout = timedelta(minutes=30)
