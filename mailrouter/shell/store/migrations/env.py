"""Alembic's entry: the connection is the one that `migrate` opened."""

from alembic import context

from mailrouter.shell.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
