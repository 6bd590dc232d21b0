"""The connector as the loop sees it: the pure half, and reading and writing over one shared client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proscribe.clock import Clock
from proscribe.connectors.amapi.act import Writer
from proscribe.connectors.amapi.bucket import TokenBucket
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.observe import observe
from proscribe.connectors.amapi.system import AmapiSystem
from proscribe.connectors.amapi.wire import Wire, uniform
from proscribe.connectors.base import Batch, InvalidConfiguration, Order, Prepared, Receipt
from proscribe.connectors.memory import Surroundings
from proscribe.errors import Where
from proscribe.text import Text

if TYPE_CHECKING:
    import httpx


class AmapiConnector(AmapiSystem):
    """Android Management API for one enterprise. Implements ``connectors.base.Connector``.

    ``bucket`` is shared by all connectors of one Google project; ``transport`` and ``jitter`` are for tests.
    """

    def __init__(
        self,
        config: AmapiConfig,
        *,
        clock: Clock,
        bucket: TokenBucket | None = None,
        transport: httpx.BaseTransport | None = None,
        jitter: Callable[[float], float] = uniform,
    ) -> None:
        self.config = config
        self._wire = Wire(config, clock=clock, bucket=bucket, transport=transport, jitter=jitter)
        self._writer = Writer(config, self._wire, clock=clock, jitter=jitter)

    def observe(self, cursor: str = "") -> Iterator[Batch]:
        """Every device, app and policy, page by page, from ``cursor`` on. Raises a ConnectorFault."""
        return observe(self.config, self._wire, cursor)

    def prepare(self, order: Order) -> Prepared:
        """The policy as it stands now. Raises a ConnectorFault."""
        return self._writer.prepare(order)

    def send(self, order: Order, prepared: Prepared) -> Receipt:
        """Merge the order into the policy. Raises a ConnectorFault."""
        return self._writer.send(order, prepared)

    def retract(self, order: Order, prior: str) -> Receipt:
        """Take our entries back to ``prior``, those of others untouched. Raises a ConnectorFault."""
        return self._writer.retract(order, prior)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()


_TEXT: frozenset[str] = frozenset({"enterprise", "endpoint", "token"})
_WHOLE: frozenset[str] = frozenset({"page_size", "read_attempts", "merge_attempts", "response_limit"})
_SECONDS: frozenset[str] = frozenset({"connect_timeout", "read_timeout", "backoff_base", "backoff_cap"})


def from_settings(settings: Mapping[str, str], around: Surroundings) -> AmapiConnector:
    """The connector that a section of the settings file describes: the fields of AmapiConfig, as text.

    Raises InvalidConfiguration for an unknown setting, a missing enterprise, a value that is no number, or an endpoint
    that would be unsafe.
    """
    given: dict[str, Any] = {"enterprise": "", **{name: _setting(name, value) for name, value in settings.items()}}
    config = AmapiConfig(**given)
    return AmapiConnector(config, clock=around.clock, bucket=_bucket(config, around.clock))


# The quota belongs to the Google project. Connectors opened anew at every tick, or for several enterprises with
# the same credentials, must not each start with a fresh one.
_buckets: dict[tuple[str, str, int], TokenBucket] = {}


def _bucket(config: AmapiConfig, clock: Clock) -> TokenBucket:
    # A bucket keeps its clock alive, so the identity stays that clock's.
    return _buckets.setdefault((config.endpoint, str(config.credentials_file), id(clock)), TokenBucket(clock))


def _setting(name: str, value: str) -> Any:
    try:
        if name in _TEXT:
            return value
        if name == "credentials_file":
            return Path(value).expanduser()
        if name in _WHOLE:
            return int(value)
        if name in _SECONDS:
            return float(value)
    except ValueError:
        raise InvalidConfiguration(
            Text(f"{value!r} is not a number", f"{value!r} n'est pas un nombre"),
            remedy=Text("Write a number.", "Écrivez un nombre."),
            where=Where(field=f"amapi.{name}"),
        ) from None
    known = ", ".join(sorted(_TEXT | _WHOLE | _SECONDS | {"credentials_file"}))
    raise InvalidConfiguration(
        Text("unknown setting", "paramètre inconnu"),
        remedy=Text(f"The settings are: {known}.", f"Les paramètres sont : {known}."),
        where=Where(field=f"amapi.{name}"),
    )
