"""A simulated Android Management API: the vendor's wire over loopback HTTP, and devices that behave like devices.

Start it in this process::

    with AmapiSimulator(make_fleet(FleetSpec(devices=50)), clock) as sim:
        ...  # talk to sim.endpoint; move time with clock.advance(...)

or in a process of its own with :func:`spawn`, for tests that kill the client.
"""

from proscribe.simulate.amapi.device import App, Behaviour, SimDevice
from proscribe.simulate.amapi.faults import Fault, FaultKind, FaultScript
from proscribe.simulate.amapi.fleet import BannedApp, FleetSpec, make_fleet
from proscribe.simulate.amapi.journal import Journal, Mutation
from proscribe.simulate.amapi.process import SpawnedSimulator, serve, spawn
from proscribe.simulate.amapi.server import AmapiSimulator
from proscribe.simulate.amapi.state import Fleet

__all__ = [
    "AmapiSimulator",
    "App",
    "BannedApp",
    "Behaviour",
    "Fault",
    "FaultKind",
    "FaultScript",
    "Fleet",
    "FleetSpec",
    "Journal",
    "Mutation",
    "SimDevice",
    "SpawnedSimulator",
    "make_fleet",
    "serve",
    "spawn",
]
