"""Creates the Celery application of a process."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from celery import Celery

from config.celery import options
from config.env_file import environment
from config.settings import Role, Settings, SettingsError, load
from config.variable import refuse_to_start
from renderline.ledger import ServerClock
from workers.composition.connection import connect
from workers.repairs import registry
from workers.repairs.canary import Canary
from workers.repairs.transport import install

if TYPE_CHECKING:
    from tasks.services import Services


class Renderline(Celery):
    """A Celery application with its process's use cases, on the Redis server's clock.

    Nothing is read, connected or composed before its first use.
    """

    selection: registry.Selection
    _settings: Settings | None = None
    _services: tuple[int, Services] | None = None
    _clock: tuple[int, ServerClock] | None = None
    _canary: Canary | None = None
    _composing = threading.Lock()

    @property
    def settings(self) -> Settings:
        """Return this process's settings; those of the environment if none were given."""
        if self._settings is None:
            self._settings = load_or_exit(_role())
        return self._settings

    @settings.setter
    def settings(self, given: Settings) -> None:
        self._settings = given

    @property
    def services(self) -> Services:
        """Return this process's use cases, composed on first use (connections do not survive a fork)."""
        # Here: Flower, and commands that only talk to workers, need none of it, nor its memory.
        from workers.composition.services import compose

        with self._composing:
            if self._services is None or self._services[0] != os.getpid():
                self._services = (os.getpid(), compose(self, self.settings))
            return self._services[1]

    @property
    def canary(self) -> Canary:
        """Return the canary of this process's consumer."""
        if self._canary is None:
            self._canary = Canary(self, interval=self.settings.canary_interval)
        return self._canary

    @property
    def server_clock(self) -> ServerClock:
        """Return the clock that tells the server's time in this process."""
        if self._clock is None or self._clock[0] != os.getpid():
            self._clock = (os.getpid(), ServerClock(connect(self.settings)))
        return self._clock[1]

    def now(self) -> datetime:
        """Return the server's time, from which Celery makes the ETA of a message."""
        return datetime.fromtimestamp(self.server_clock(), UTC).astimezone(self.timezone)

    def add_flower_pages(self) -> None:
        """Add our pages to Flower; called by config/flower.py, which may import nothing of ours."""
        from workers.flower.install import install as install_pages

        # Flower runs no task: the modules of tasks, with all that they import, would cost it 10 MB.
        self.conf.include = ()
        install_pages(self.settings)

    def on_configure(self) -> None:
        """Take Celery's options from the settings; called by Celery when an option is first needed."""
        self.config_from_object(options(self.settings))


def create_app(given: Settings | None = None, *, selection: registry.Selection | None = None) -> Renderline:
    """Return a Celery application for these settings; without any, those of the environment when first needed.

    `selection`: the repairs to use; by default all that fit the installed versions.
    """
    app = Renderline("renderline", include=["tasks.request", "tasks.submit", "tasks.poll", "tasks.hook"])
    app.selection = selection or registry.select()
    if given is not None:
        app.settings = given
    install(app, app.selection.repairs)
    return app


def load_or_exit(role: Role) -> Settings:
    """Return the settings of the environment; ends the process with a line for each bad variable."""
    try:
        return load(environment(), role=role)
    except SettingsError as problem:
        refuse_to_start("Renderline", problem)


def _role() -> Role:
    """Return what this runs. Flower and `celery inspect` need no vendor credentials, Flower no secret key either."""
    command = click.get_current_context(silent=True)
    name = command.info_name if command is not None else None
    return "worker" if name == "worker" else "flower" if name == "flower" else "gateway"
