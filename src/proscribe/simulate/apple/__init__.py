"""Simulated iPhones and iPads, which enrol into a real NanoMDM over HTTP and behave.

Start ``nanomdm`` with the authority's certificate (``-ca``), then::

    authority = CertificateAuthority.create()
    with MdmEndpoint("http://127.0.0.1:9000/mdm", authority) as endpoint:
        phones = make_phones(FleetSpec(phones=50))
        enrol(phones, endpoint)
        ...  # enqueue commands
        check_in(phones)  # one round, as after a push to each
        phones[0].can_launch("com.tencent.xin")

Messages, answers and reports are held against Apple's schema in the tests. What Apple documents nowhere that we know of
is assumed here, and was never seen on hardware:

- a locked phone puts off every command that is not on Apple's list of those that never meet ``NotNow``;
- several Restrictions payloads add up: denied apps are a union, allowed ones an intersection;
- identifiers are compared letter by letter, capitals included;
- keys that need supervision, or that User Enrolment forbids, are ignored where they do not apply;
- the codes of two errors: an app that a declaration manages (12036), a change of management in User Enrolment (12025);
- a person's apps come back from a copy after the phone was erased, those of the organisation do not.
"""

from proscribe.simulate.apple.endpoint import MdmEndpoint, Refused
from proscribe.simulate.apple.fleet import BannedApp, FleetSpec, make_phones, make_specs
from proscribe.simulate.apple.identity import CertificateAuthority, Identity
from proscribe.simulate.apple.phone import Answered, Phone
from proscribe.simulate.apple.rounds import check_in, enrol
from proscribe.simulate.apple.spec import SYSTEM_APPS, App, Behaviour, Person, PhoneSpec

__all__ = [
    "SYSTEM_APPS",
    "Answered",
    "App",
    "BannedApp",
    "Behaviour",
    "CertificateAuthority",
    "FleetSpec",
    "Identity",
    "MdmEndpoint",
    "Person",
    "Phone",
    "PhoneSpec",
    "Refused",
    "check_in",
    "enrol",
    "make_phones",
    "make_specs",
]
