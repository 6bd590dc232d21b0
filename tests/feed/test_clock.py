"""The pull goes by the clock it is given: what the library would ask the machine is put aside, and that still works."""

from __future__ import annotations

from datetime import UTC, datetime

from tuf.ngclient.updater import Updater

from proscribe.feed.client import _Meter, _Pull
from proscribe.feed.sources import open_source


def test_the_library_still_looks_where_we_put_the_time(authority, tmp_path):
    moment = datetime(2031, 5, 4, 3, 2, tzinfo=UTC)
    with open_source(authority.public) as source:
        updater = _Pull(tmp_path / "state", None, _Meter(source), moment)._updater(authority.first_root)
    assert isinstance(updater, Updater)
    assert updater._trusted_set.reference_time == moment
    assert updater._trusted_set.root.is_expired(updater._trusted_set.reference_time)
