"""Parts that are started before the migrations wait for them."""

import threading
import time

from backend.storage.database import open_database
from backend.storage.migrate import upgrade
from worker.schema import await_schema


def test_a_part_waits_until_the_database_has_been_migrated(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    waiting = threading.Thread(target=lambda: await_schema(engine))
    waiting.start()
    time.sleep(0.2)
    assert waiting.is_alive()
    upgrade(empty_database_url)
    waiting.join(timeout=60)
    assert not waiting.is_alive()
    engine.dispose()


def test_a_part_that_is_asked_to_leave_does_not_wait(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    await_schema(engine, ended=lambda: True)
    engine.dispose()
