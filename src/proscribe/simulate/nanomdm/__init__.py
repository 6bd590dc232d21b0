"""A simulated NanoMDM and a simulated KMFDDM over loopback HTTP, for machines without Go.

They are checked against the real ones (nanomdm v0.9.0 with filekv, kmfddm v0.8.3) by tests/simulate/nanomdm::

    with (
        KmfddmSimulator(api_key="k") as kmfddm,
        NanomdmSimulator(ca_pem=ca, api_key="n", webhook_url=receiver, declarations=kmfddm) as nanomdm,
    ):
        ...  # devices talk to nanomdm.mdm_url, the connector to nanomdm.endpoint and kmfddm.endpoint
"""

from proscribe.simulate.nanomdm.faults import DeliveryKind, Fault, FaultKind, FaultScript
from proscribe.simulate.nanomdm.journal import DeclarationJournal, Journal
from proscribe.simulate.nanomdm.kmfddm import KmfddmSimulator
from proscribe.simulate.nanomdm.server import NanomdmSimulator

__all__ = [
    "DeclarationJournal",
    "DeliveryKind",
    "Fault",
    "FaultKind",
    "FaultScript",
    "Journal",
    "KmfddmSimulator",
    "NanomdmSimulator",
]
